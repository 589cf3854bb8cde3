"""One limit as a token bucket, and the book of what it gave. The clock is an argument."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A bucket as its rate-limit headers show it."""

    limit: int
    """Per minute."""
    remaining: int
    reset_s: float
    """Seconds until the bucket is full again."""


class Bucket:
    """Fills smoothly to its capacity; may be overdrawn by one request larger than it."""

    def __init__(self, per_minute: int, capacity: float, clock: Callable[[], float]) -> None:
        self.per_minute = per_minute
        self.capacity = capacity
        self._clock = clock
        self._level = capacity
        self._at = clock()
        self._flowed = 0.0
        self.reset_book()

    def reset_book(self) -> None:
        """Count what is permitted and used from the next request on."""
        self._used = 0.0
        self._refused = 0.0
        self._opening: float | None = None
        self._first_flowed = self._last_flowed = 0.0
        self._first_at = self._last_at = 0.0

    def level(self) -> float:
        """What is left just now."""
        self._advance(self._clock())
        return self._level

    def wait(self, amount: float) -> float:
        """Seconds until `amount` may be taken; 0 when it may be now."""
        short = min(amount, self.capacity) - self.level()
        # Float dust must not refuse a caller who waited just long enough.
        return short * 60 / self.per_minute if short > 1e-6 else 0.0

    def admit(self, amount: float) -> None:
        """Take `amount` for a request that is let in."""
        level = self.level()
        if self._opening is None:
            self._opening, self._first_flowed, self._first_at = level, self._flowed, self._at
        self._last_flowed, self._last_at = self._flowed, self._at
        self.settle(amount)

    def settle(self, amount: float) -> None:
        """Take more for a request that was let in, or give back where `amount` is negative."""
        self._used += amount
        self._level = min(self.capacity, self.level() - amount)

    def punish(self, amount: float) -> None:
        """Take `amount` for a request that is refused."""
        self._refused += amount
        self._level = self.level() - amount

    def refit(self, per_minute: int, capacity: float, at: float) -> None:
        """Go on with another limit from the moment `at`, not later than now."""
        self._advance(at)
        self.per_minute = per_minute
        self.capacity = capacity
        self._level = min(self._level, capacity)

    def gauge(self) -> Gauge:
        """Read the bucket for the headers."""
        level = self.level()
        return Gauge(
            limit=self.per_minute,
            remaining=max(0, math.floor(level + 1e-6)),
            reset_s=(self.capacity - level) * 60 / self.per_minute,
        )

    def book(self, since: float) -> dict[str, float | None]:
        """Tell what was permitted between the first and the last request let in, and used.

        Permitted: what was there at the first one and what flowed in until the last, whether or
        not there was room for it. Moments are in seconds after `since`.
        """
        begun = self._opening is not None
        return {
            "per_minute": self.per_minute,
            "capacity": self.capacity,
            "first_s": self._first_at - since if begun else None,
            "last_s": self._last_at - since if begun else None,
            "permitted": (self._opening or 0.0) + self._last_flowed - self._first_flowed,
            "used": self._used,
            "used_by_refusals": self._refused,
        }

    def _advance(self, now: float) -> None:
        if now > self._at:
            flow = (now - self._at) * self.per_minute / 60
            self._flowed += flow
            self._level = min(self.capacity, self._level + flow)
            self._at = now
