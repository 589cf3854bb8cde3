"""How long the batch lane waits for what, and how often it looks. Times are in seconds."""

from collections.abc import Callable

LISTED_WITHIN_S = 60.0
"""A batch that was created is in the provider's list by then; the lists lag behind."""
LONG_AGO_S = 3600.0
"""Whatever was created so long ago is listed for certain."""
SHOWN_WITHIN_S = 600.0
"""A batch that was just created may be unknown at first (404)."""
CLOCK_S = 600.0
"""By how much the provider's clock may differ from ours."""
CREATED_WITHIN_S = 2400.0
"""So long after it was asked for, a batch may still come into being: rows take time to send."""
CALL_TRIES = 8
"""Tries of a call that carries rows; looking at a batch that is out is tried for ever."""
_BACK_OFF_S, _LONGEST_BACK_OFF_S = 0.5, 60.0
_FIRST_LOOK_S, _GROWTH, _LONGEST_LOOK_S = 0.2, 1.5, 60.0
_LONGEST_SEARCH_S = 5.0
_SPREAD = 0.2


def back_off(failures: int, asked_s: float | None, draw: float) -> float:
    """Wait before a call is repeated; `asked_s` is what the server asked for, `draw` below 1."""
    if asked_s is not None:
        return min(asked_s, 10 * _LONGEST_BACK_OFF_S) * (1 + draw / 10)
    widest = min(_BACK_OFF_S * 2.0 ** min(failures - 1, 16), _LONGEST_BACK_OFF_S)
    return widest * (0.5 + draw / 2)


class Looks:
    """The growing times between two looks at the same thing."""

    def __init__(self, draw: Callable[[], float], longest_s: float = _LONGEST_LOOK_S) -> None:
        """`draw` gives random numbers from 0 to 1, so that many do not look at once."""
        self._draw = draw
        self._longest_s = longest_s
        self._next_s = _FIRST_LOOK_S

    def pause_s(self) -> float:
        """Give the time until the next look."""
        now, self._next_s = self._next_s, min(self._next_s * _GROWTH, self._longest_s)
        return now * (1 + _SPREAD * (self._draw() - 0.5))


def searching(draw: Callable[[], float]) -> Looks:
    """Look oftener than at a batch that takes hours."""
    return Looks(draw, _LONGEST_SEARCH_S)
