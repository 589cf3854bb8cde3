"""Rate limits as token buckets. Decides at once and never waits; the clock is an argument."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from runner.simulator.scenario import Limits

BucketName = Literal["requests", "tokens", "input-tokens", "output-tokens"]


class LimitReachedError(Exception):
    """A request that may not start now."""

    def __init__(self, name: str, limit: int, retry_after_s: float | None) -> None:
        """Create the refusal; `retry_after_s` is None where nobody knows."""
        super().__init__(name)
        self.name = name
        self.limit = limit
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A bucket as its rate-limit headers show it."""

    limit: int
    """Per minute."""
    remaining: int
    reset_s: float
    """Seconds until the bucket is full again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What was taken for one request, to be settled with what it used."""

    input_tokens: int
    output_tokens: int


class Bucket:
    """Fills smoothly to its capacity; may be overdrawn by one request larger than it."""

    def __init__(self, per_minute: int, capacity: float, clock: Callable[[], float]) -> None:
        self.per_minute = per_minute
        self.capacity = capacity
        self._clock = clock
        self._level = capacity
        self._at = clock()

    def level(self) -> float:
        """What is left just now."""
        now = self._clock()
        self._level = min(self.capacity, self._level + (now - self._at) * self.per_minute / 60)
        self._at = now
        return self._level

    def wait(self, amount: float) -> float:
        """Seconds until `amount` may be taken; 0 when it may be now."""
        short = min(amount, self.capacity) - self.level()
        # Float dust must not refuse a caller who waited just long enough.
        return short * 60 / self.per_minute if short > 1e-6 else 0.0

    def take(self, amount: float) -> None:
        """Take `amount`, or give it back where it is negative."""
        self._level = min(self.capacity, self.level() - amount)

    def gauge(self) -> Gauge:
        """Read the bucket for the headers."""
        level = self.level()
        return Gauge(
            limit=self.per_minute,
            remaining=max(0, math.floor(level + 1e-6)),
            reset_s=(self.capacity - level) * 60 / self.per_minute,
        )


class Limiter:
    """All limits of a scenario."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._active = 0
        self._buckets: dict[BucketName, Bucket] = {}
        sizes: tuple[tuple[BucketName, int | None, float, float], ...] = (
            ("requests", limits.requests_per_minute, limits.request_burst_s, 1.0),
            ("tokens", limits.tokens_per_minute, limits.token_burst_s, 0.0),
            ("input-tokens", limits.input_tokens_per_minute, limits.token_burst_s, 0.0),
            ("output-tokens", limits.output_tokens_per_minute, limits.token_burst_s, 0.0),
        )
        for name, per_minute, burst_s, least in sizes:
            if per_minute is not None:
                capacity = max(least, per_minute * burst_s / 60)
                self._buckets[name] = Bucket(per_minute, capacity, clock)

    def admit(self, input_tokens: int, output_tokens: int) -> Charge:
        """Let a request in and charge it; `output_tokens` is the most it may write.

        Raises:
            LimitReachedError: a bucket or the number of requests in flight is used up.
        """
        late = self._limits.charge == "completion"
        charge = Charge(input_tokens=input_tokens, output_tokens=0 if late else output_tokens)
        self._check_concurrency()
        self._check(charge)
        for name, bucket in self._buckets.items():
            bucket.take(_amount(name, charge))
        self._active += 1
        return charge

    def settle(self, charge: Charge, input_tokens: int, output_tokens: int) -> None:
        """End an admitted request, correcting its charge to what it used."""
        self._active -= 1
        used = Charge(input_tokens=input_tokens, output_tokens=output_tokens)
        for name, bucket in self._buckets.items():
            if name != "requests":
                bucket.take(_amount(name, used) - _amount(name, charge))

    def gauges(self) -> dict[BucketName, Gauge]:
        """Read every bucket for the headers."""
        return {name: bucket.gauge() for name, bucket in self._buckets.items()}

    def _check_concurrency(self) -> None:
        most = self._limits.max_concurrency
        if most is not None and self._active >= most:
            raise LimitReachedError("concurrent requests", most, None)

    def _check(self, charge: Charge) -> None:
        for name, bucket in self._buckets.items():
            if name != "requests" and _amount(name, charge) > bucket.per_minute:
                # More than a whole minute's worth: no waiting helps.
                raise LimitReachedError(name, bucket.per_minute, None)
        if all(bucket.wait(_amount(key, charge)) == 0 for key, bucket in self._buckets.items()):
            return
        if self._limits.count_refusals and "requests" in self._buckets:
            requests = self._buckets["requests"]
            requests.take(min(1.0, requests.level() + requests.capacity))
        waits = {key: bucket.wait(_amount(key, charge)) for key, bucket in self._buckets.items()}
        slowest = max(waits, key=lambda key: waits[key])
        raise LimitReachedError(slowest, self._buckets[slowest].per_minute, waits[slowest])


def _amount(name: BucketName, charge: Charge) -> int:
    return {
        "requests": 1,
        "tokens": charge.input_tokens + charge.output_tokens,
        "input-tokens": charge.input_tokens,
        "output-tokens": charge.output_tokens,
    }[name]
