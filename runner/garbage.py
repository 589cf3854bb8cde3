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


def hold_off() -> None:
    """Collect nothing while modules are imported."""
    gc.disable()


def settle() -> None:
    """Collect from now on, and never look again at what is there already."""
    if gc.get_count()[0] > _MANY:
        gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
    gc.enable()
