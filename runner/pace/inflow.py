"""What a server lets in while it refuses: the most that flowed into its bucket. Pure."""

import math

_LEAST_S, _LEAST = 3.0, 8
_FORGET_S = 300.0
"""A limit may fall: what was seen weighs less by a factor of e in this time."""


class Inflow:
    """Counts requests let in from one refusal to a later one.

    At a refusal a server's bucket is empty, so what it lets in until the next is what flows in
    meanwhile and no more, however large the bucket is. The fastest flow that was seen is below the
    limit. Who is far slower, and refused all the same, is not refused for rate.
    """

    __slots__ = ("_from", "_let_in", "rate")

    def __init__(self) -> None:
        self._from: float | None = None
        self._let_in = 0
        self.rate = 0.0
        """Requests per second; 0 while nothing was measured."""

    def forget(self) -> None:
        """Begin anew: the bucket may have filled since the last refusal."""
        self._from, self._let_in, self.rate = None, 0, 0.0

    def refused(self, now: float, let_in: int) -> None:
        """Note a refusal; `let_in` were let in since the last call."""
        if self._from is None:
            self._from, self._let_in = now, 0
            return
        self._let_in += max(0, let_in)
        span = now - self._from
        if span >= _LEAST_S and self._let_in >= _LEAST:
            before = self.rate * math.exp(-span / _FORGET_S)
            self.rate = max(before, self._let_in / span)
            self._from, self._let_in = now, 0
