"""How a pace that was cut grows again: back to what was let in at once, then beyond it slowly."""

_CREEP = 0.0004
"""Growth per second after a cut, as a share: the limit was just found, so it is near."""
_STRIDE_S = 90.0
"""After this long without a refusal the limit may well have moved: growth becomes cubic."""
_DOUBLING_S = 1.0
"""How fast a pace returns to what was let in before."""


class Regrowth:
    """A course of rates, in requests per second, from `low` at a cut up to `goal` and beyond."""

    __slots__ = ("cut_at", "goal", "low", "rises_at")

    def __init__(self, now: float) -> None:
        self.goal = float("inf")
        self.low = 0.0
        self.cut_at = now
        """Since when it creeps."""
        self.rises_at = now
        """Since when it doubles."""

    def begin(self, now: float) -> None:
        """Grow from `low` from now on."""
        self.cut_at = self.rises_at = now

    def settle(self, rate: float) -> None:
        """Take a rate for what is let in."""
        self.goal = self.low = rate

    def rise(self, now: float, low: float, goal: float) -> None:
        """Double from `low` up to `goal` from now on."""
        self.goal, self.low, self.rises_at = goal, low, now

    def rate(self, now: float) -> float:
        """Tell how far it has grown."""
        since = now - self.cut_at
        goal = self.goal * (1 + _CREEP * since + (since / _STRIDE_S) ** 3)
        doublings = min(60.0, (now - self.rises_at) / _DOUBLING_S)
        rate: float = min(goal, self.low * 2.0**doublings)
        return rate


class Asked:
    """The slowest pace that a server can mean, by the waits that it asks for."""

    __slots__ = ("_count", "_longest_s", "least")

    _LEAST, _SHORTEST_S = 1 / 60, 1.0
    _ENOUGH, _FORGET = 8, 0.98

    def __init__(self) -> None:
        self._longest_s, self._count = 0.0, 0
        self.least = self._LEAST
        """Requests per second."""

    def hear(self, asked_s: float | None) -> None:
        """Take in what a refusal asked for; None where it asked for nothing."""
        # What is asked for is often less than the time from one start to the next, so it gives no
        # rate; but a server that never asks for more than a second bears one request a second.
        if asked_s is not None:
            self._longest_s = max(asked_s, self._FORGET * self._longest_s)
            self._count += 1
        known = self._count >= self._ENOUGH
        self.least = 1 / max(self._longest_s, self._SHORTEST_S) if known else self._LEAST
