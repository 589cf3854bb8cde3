"""A token bucket. Decides nothing, never waits; the clock is an argument."""

LONGEST_WAIT_S = 300.0
"""Who was told to wait asks again, so that a longer wait is never needed."""

_DUST = 1e-9


class Bucket:
    """Fills smoothly to its capacity; a request larger than that overdraws it."""

    __slots__ = ("_at", "capacity", "level", "rate")

    def __init__(self, now: float, *, rate: float, capacity: float, level: float) -> None:
        """Start with `level`; `rate` is per second."""
        self.rate = rate
        self.capacity = capacity
        self.level = level
        self._at = now

    def advance(self, now: float) -> None:
        """Fill up to `now`; a clock that stood still or went back fills nothing."""
        if now > self._at:
            if self.level < self.capacity:
                level = self.level + self.rate * (now - self._at)
                self.level = min(self.capacity, level)
            self._at = now

    def wait(self, amount: float, now: float) -> float:
        """Tell how many seconds are missing until `amount` is there; 0 when it is."""
        self.advance(now)
        short = (min(self.capacity, amount)) - self.level
        if short <= _DUST:
            return 0.0
        longest = LONGEST_WAIT_S * self.rate
        return short / self.rate if short < longest else LONGEST_WAIT_S

    def take(self, amount: float, now: float) -> None:
        """Take `amount`, or give it back where it is negative."""
        self.advance(now)
        level = self.level - amount
        self.level = min(self.capacity, level)

    def put_back(self, amount: float, now: float) -> None:
        """Put back what was taken and not used, above the capacity if need be."""
        self.advance(now)
        self.level += amount

    def hold(self, until: float, most: float) -> None:
        """Have no more than `most` by `until`, while nothing is taken before."""
        self.advance(until)
        self.level = min(self.level, most)

    def refit(self, now: float, *, rate: float, capacity: float) -> None:
        """Go on with another rate and capacity from `now`."""
        self.advance(now)
        self.rate = rate
        self.capacity = capacity
        self.level = min(self.level, capacity)
