"""When Python looks for reference cycles. Imports nothing else, so that it can come first.

Importing an SDK makes half a million objects that stay for good. Looking through them again and
again, while they are made and in the course of a run, costs more than half a second and finds none.
"""

import gc

_YOUNG, _MIDDLE, _OLD = 100_000, 50, 100
"""Objects, collections, collections. A request makes a few small cycles at most; looking for them
every 5,000 objects was a quarter of all CPU with 5,000 requests in flight."""
_MANY = 20_000
"""Objects; fewer are not worth keeping for good what may be garbage among them."""
_IN_FLIGHT = 200
"""Objects; a request in flight has more. Until all that may be out are out, their number grows, and
to look through them again and again meanwhile finds nothing."""


def hold_off() -> None:
    """Collect nothing while modules are imported."""
    gc.disable()


def settle(in_flight: int = 0) -> None:
    """Collect from now on, and never look again at what is there already.

    `in_flight`: how many requests this process may have out.
    """
    if gc.get_count()[0] > _MANY:
        gc.freeze()
    gc.set_threshold(max(_YOUNG, _IN_FLIGHT * in_flight), _MIDDLE, _OLD)
    gc.enable()
