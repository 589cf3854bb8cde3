"""How a server charges for answers that are not written yet: found out by comparing.

Three books are kept side by side. What a server shows falls and rises as one of them does.
"""

from typing import Literal

Mode = Literal["kept", "returned", "late"]
"""The cap charged at admission for good; the cap, and what was not written comes back; only what
was written, when it is."""

MODES: tuple[Mode, ...] = ("kept", "returned", "late")

Books = tuple[float, float, float]

_LEARN = 0.05
_ENOUGH = 20
_SPILLS = 100
_CLEARLY = 0.85
"""Another mode is believed where it explains the figures this much better."""


class Charging:
    """What each way of charging would have taken so far, and how well each explains the headers."""

    __slots__ = (
        "_errors",
        "_kept",
        "_last",
        "_last_at",
        "_late",
        "_returned",
        "_seen",
        "_spilled",
        "mode",
    )

    def __init__(self, mode: Mode) -> None:
        """Start from a `mode` that is likely."""
        self.mode = mode
        self._kept = self._returned = self._late = 0.0
        self._errors = [0.0, 0.0, 0.0]
        self._last: Books | None = None
        self._last_at = 0.0
        self._seen = self._spilled = 0

    def admitted(self, fixed: float, cap: float) -> Books:
        """Charge a request to each book and tell where they stand."""
        self._kept += fixed + cap
        self._returned += fixed + cap
        self._late += fixed
        return self._kept, self._returned, self._late

    def completed(self, error: float, cap: float, output: float) -> None:
        """Charge a finished answer to each book; `error` was charged too much at admission."""
        self._kept -= error
        self._returned -= error + cap - output
        self._late += output - error

    def spilled(self) -> bool:
        """Note that the server's bucket was full: what flows over is in none of the books.

        Tell whether another mode is believed now: a server that stays full
        while its charges are thought to be kept does not keep them.
        """
        self._last = None
        self._spilled += 1
        if self.mode != "kept" or self._spilled < _SPILLS:
            return False
        self.mode = "returned"
        self._errors = [0.0, 0.0, 0.0]
        self._seen = 0
        return True

    def seen(self, books: Books, remaining: float, sent_at: float, rate: float) -> bool:
        """Compare what a server showed for a request with each book as it stood when it left.

        Tell whether another mode is believed now.
        """
        if self._last is not None and sent_at <= self._last_at:
            return False
        base = remaining - rate * sent_at
        now = base + books[0], base + books[1], base + books[2]
        last, self._last, self._last_at = self._last, now, sent_at
        if last is None:
            return False
        errors = self._errors
        for at in (0, 1, 2):
            errors[at] += _LEARN * (abs(now[at] - last[at]) - errors[at])
        self._seen += 1
        self._spilled = 0
        best = min(errors)
        if self._seen < _ENOUGH or best >= _CLEARLY * errors[MODES.index(self.mode)]:
            return False
        self.mode = MODES[errors.index(best)]
        return True
