"""Rate limits of one scenario. Decides at once and never waits; the clock is an argument."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import msgspec
from msgspec import UNSET

from runner.simulator.bucket import Bucket, Gauge
from runner.simulator.scenario import LaterLimits, Limits, LimitsChange

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
class Charge:
    """What was taken for one request, to be settled with what it used."""

    input_tokens: int
    output_tokens: int
    buckets: tuple[Bucket, ...] = ()
    """Where it was taken from."""


class Limiter:
    """All limits of a scenario, as they are now."""

    def __init__(
        self, limits: Limits, clock: Callable[[], float], later: Sequence[LaterLimits] = ()
    ) -> None:
        """`later`: changes, each so many seconds after the first request."""
        self._limits = limits
        self._clock = clock
        self._later = sorted(later, key=lambda change: change.seconds)
        self._began = clock()
        self._first_at: float | None = None
        self.active = 0
        """Requests that were let in and have not ended."""
        self._buckets: dict[BucketName, Bucket] = {}
        self._fit(self._began)

    def change(self, change: LimitsChange, at: float | None = None) -> None:
        """Replace what `change` says, from the moment `at` on (else from now)."""
        given = {
            name: value
            for name in Limits.__struct_fields__
            if (value := getattr(change, name)) is not UNSET
        }
        self._limits = msgspec.structs.replace(self._limits, **given)
        self._fit(self._clock() if at is None else at)

    def admit(self, input_tokens: int, output_tokens: int) -> Charge:
        """Let a request in and charge it; `output_tokens` is the most it may write.

        Raises:
            LimitReachedError: a bucket or the number of requests in flight is used up.
        """
        self._catch_up()
        late = self._limits.charge == "completion"
        charge = Charge(input_tokens=input_tokens, output_tokens=0 if late else output_tokens)
        self._check_concurrency()
        self._check(charge)
        for name, bucket in self._buckets.items():
            bucket.admit(_amount(name, charge))
        self.active += 1
        return replace(charge, buckets=tuple(self._buckets.values()))

    def settle(self, charge: Charge, input_tokens: int, output_tokens: int) -> None:
        """End an admitted request, correcting its charge to what it used."""
        self._catch_up()
        self.active -= 1
        used = Charge(input_tokens=input_tokens, output_tokens=output_tokens)
        for name, bucket in self._buckets.items():
            if name != "requests" and bucket in charge.buckets:
                bucket.settle(_amount(name, used) - _amount(name, charge))

    def gauges(self) -> dict[BucketName, Gauge]:
        """Read every bucket for the headers."""
        return {name: bucket.gauge() for name, bucket in self._buckets.items()}

    def book(self) -> dict[str, dict[str, float | None]]:
        """Tell of every bucket what was permitted and what was used."""
        return {name: bucket.book(self._began) for name, bucket in self._buckets.items()}

    def reset_book(self) -> None:
        """Count from zero; the buckets stay as full as they are."""
        for bucket in self._buckets.values():
            bucket.reset_book()

    def _catch_up(self) -> None:
        if not self._later:
            return
        now = self._clock()
        if self._first_at is None:
            self._first_at = now
        while self._later and now >= self._first_at + self._later[0].seconds:
            change = self._later.pop(0)
            self.change(change, self._first_at + change.seconds)

    def _fit(self, at: float) -> None:
        limits = self._limits
        sizes: tuple[tuple[BucketName, int | None, float, float], ...] = (
            ("requests", limits.requests_per_minute, limits.request_burst_s, 1.0),
            ("tokens", limits.tokens_per_minute, limits.token_burst_s, 0.0),
            ("input-tokens", limits.input_tokens_per_minute, limits.token_burst_s, 0.0),
            ("output-tokens", limits.output_tokens_per_minute, limits.token_burst_s, 0.0),
        )
        for name, per_minute, burst_s, least in sizes:
            if per_minute is None:
                self._buckets.pop(name, None)
                continue
            capacity = max(least, per_minute * burst_s / 60)
            if name in self._buckets:
                self._buckets[name].refit(per_minute, capacity, at)
            else:
                self._buckets[name] = Bucket(per_minute, capacity, self._clock)

    def _check_concurrency(self) -> None:
        most = self._limits.max_concurrency
        if most is not None and self.active >= most:
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
            requests.punish(min(1.0, requests.level() + requests.capacity))
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
