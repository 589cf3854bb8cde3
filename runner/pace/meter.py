"""One limit of a server as we believe it to stand: a bucket, its book-keeping and its observer."""

import math

from runner.pace.bucket import Bucket
from runner.pace.charging import Books, Charging
from runner.pace.entry import Entry, Size, Unit
from runner.pace.observer import Observer
from runner.quota import Gauge

_BURST_S = 1.0
"""Pace smoothly: some servers enforce each second's share of a minute."""
_BURST_NEEDS = 2.0
_MARGIN_NEEDS = 2.0
_MARGIN_S = 1.0
_MARGIN_SHARE = 0.25
_LATE_MARGIN = 0.3
_PENDING_SHARE = 0.7
"""Where output is charged late, what is still to be charged is a margin of its own. Kept back in
full, it would spill from a small bucket."""
_FULL = 0.9
_DOUBT = 0.8
_SPILLS_S, _FREED = 1.5, 0.3
"""A server that shows itself full for so long leaves this much of what others seem to take."""
_SHORT = 1.5
_SMALL = 4
_STUCK = 30
_CRAWL = 0.5
_LEARN = 0.02
_NO_BOOKS: Books = (0.0, 0.0, 0.0)


class Meter:
    """Believes nothing until the first header; then its level follows the server's from below."""

    __slots__ = (
        "_blind_from",
        "_full_from",
        "_limit_at",
        "_need",
        "_observer",
        "_peak",
        "_pending",
        "_same",
        "_shown",
        "bucket",
        "charging",
        "limit",
        "unit",
    )

    def __init__(self, now: float, unit: Unit) -> None:
        self.unit = unit
        self.bucket = Bucket(now, rate=0.0, capacity=math.inf, level=0.0)
        self.charging = Charging(unit.starts)
        self.limit: int | None = None
        """Per minute, as the server said last."""
        self._observer = Observer(now)
        self._limit_at = -math.inf
        self._full_from = math.inf
        self._blind_from: float | None = None
        self._need = 0.0
        self._peak = -1.0
        self._pending = 0.0
        self._shown = -1
        self._same = 0

    def wait(self, size: Size, now: float) -> float:
        """Tell how many seconds are missing until a request may start."""
        if self._blind_from is None:
            return 0.0
        if self._observer.disturbance and self._observer.relax(now):
            self.bucket.rate = (self.limit or 0) / 60 - self._observer.disturbance
        return self.bucket.wait(self._taken(size), now)

    def rate(self, size: Size) -> float | None:
        """Tell how many requests of a size may start per second; None where nobody knows."""
        if self._blind_from is None:
            return None
        unit = self.unit
        output = size.cap if self.charging.mode == "kept" else size.output
        amount = unit.requests + unit.input * size.input + unit.output * output
        return self.bucket.rate / max(amount, 1.0)

    def reserve(self, size: Size, now: float) -> Entry:
        """Take what a request is expected to be charged."""
        unit, mode, taken = self.unit, self.charging.mode, self._taken(size)
        fixed, cap = unit.requests + unit.input * size.input, unit.output * size.cap
        late = taken - fixed if mode == "late" else 0.0
        bucket = self.bucket
        bucket.take(taken, now)
        self._pending += late
        self._need += (taken - self._need) * (_LEARN if self._need else 1.0)
        return Entry(
            fixed,
            cap,
            mode,
            taken,
            late,
            self._blind_from is None,
            bucket.level + _PENDING_SHARE * self._pending,
            self._observer.corrected,
            self.charging.admitted(fixed, cap) if unit.output else _NO_BOOKS,
        )

    def settle(self, entry: Entry, used: Size, now: float) -> None:
        """Put what was used in place of what was reserved."""
        unit = self.unit
        error = entry.fixed - unit.requests - unit.input * used.input
        back = error
        if unit.output:
            if entry.mode == "late":
                self._pending -= entry.late
                back += entry.late - used.output
            elif entry.mode == "returned":
                back += entry.cap - used.output
            self.charging.completed(error, entry.cap, used.output)
        if back:
            self.bucket.take(-back, now)
            self._observer.corrected += error

    def _taken(self, size: Size) -> float:
        unit = self.unit
        output = size.output if self.charging.mode == "late" else size.cap
        return unit.requests + unit.input * size.input + unit.output * output

    def undo(self, entry: Entry, now: float) -> None:
        """Give back everything: the server charged nothing."""
        self._pending -= entry.late
        self.bucket.take(-entry.taken, now)
        self._observer.corrected += entry.taken
        if self.unit.output:
            self.charging.completed(entry.fixed, entry.cap, 0.0)

    def refused(self, entry: Entry, gauge: Gauge, sent_at: float, now: float) -> bool:
        """Take in that a request was refused; tell whether this limit explains it."""
        self._same = 0
        self._full_from = math.inf
        left = gauge.remaining
        if left is None or left >= _SHORT * entry.taken + 1:
            return False
        if self.limit is not None and self._peak < _SMALL * entry.taken:
            # In a small bucket a few milliseconds on the way make the difference, unseen.
            rate = self.limit / 60
            self._observer.refused(sent_at, now, rate)
            self.bucket.rate = rate - self._observer.disturbance
        return True

    def hold(self, until: float) -> None:
        """Start slowly when a gate opens: the server has enough for one request by then."""
        if self._blind_from is not None:
            self.bucket.hold(until, self._need)

    def observe(self, entry: Entry, gauge: Gauge, sent_at: float, now: float) -> None:
        """Correct what is believed by what the server showed for a request sent at `sent_at`."""
        if gauge.limit and sent_at >= self._limit_at:
            self._limit_at = sent_at
            if gauge.limit != self.limit:
                self._believe(gauge.limit, sent_at, now)
        if gauge.remaining is None or self.limit is None or self._is_stuck(gauge.remaining):
            return
        first = self._peak < 0
        self._peak = max(self._peak, gauge.remaining)
        rate = self.limit / 60
        if self.unit.output and self._learns(entry, gauge.remaining, sent_at, rate):
            # What looked like another tenant was the wrong book.
            self._observer.disturbance = 0.0
            self.bucket.rate = rate
        error = self._error(entry, gauge.remaining, sent_at, rate)
        self.bucket.advance(now)
        if first:
            refilled = rate * (now - sent_at) if entry.blind else 0.0
            self.bucket.take(-error - refilled, now)
            self._observer.corrected += error
        else:
            self._correct(error, gauge.remaining, now)
            self._free(gauge.remaining, sent_at, now)

    def _learns(self, entry: Entry, remaining: int, sent_at: float, rate: float) -> bool:
        if self._is_full(remaining, rate):
            return self.charging.spilled()
        return self.charging.seen(entry.books, remaining, sent_at, rate)

    def _is_full(self, remaining: int, rate: float) -> bool:
        """Tell whether the server has about as much as it ever had, so that more would spill."""
        return remaining >= _FULL * self._peak and remaining > 4 * self._margin(rate)

    def _error(self, entry: Entry, remaining: int, sent_at: float, rate: float) -> float:
        expected = entry.expected + self._observer.corrected - entry.corrected
        if entry.blind and self._blind_from is not None:
            # Nothing was refilled in the book yet when it left.
            expected += rate * (sent_at - self._blind_from)
        return remaining - self._margin(rate) - expected

    def _correct(self, error: float, remaining: int, now: float) -> None:
        bucket, rate = self.bucket, (self.limit or 0) / 60
        if error < 0 and self._is_full(remaining, rate):
            # Nobody else takes anything, and nothing is held back for.
            self._observer.disturbance *= _DOUBT
            bucket.rate = rate - self._observer.disturbance
            return
        change = self._observer.correct(
            error,
            now,
            level=bucket.level,
            capacity=bucket.capacity,
            rate=rate,
            coarse=self._peak < _SMALL * self._need,
        )
        bucket.level += change
        bucket.rate = rate - self._observer.disturbance

    def _free(self, remaining: int, sent_at: float, now: float) -> None:
        # A bucket that stays full spills: others take far less than was thought.
        if remaining < max(1.0, _FULL * self._peak):
            self._full_from = math.inf
            return
        self._full_from = min(self._full_from, sent_at)
        if self._observer.disturbance and sent_at >= self._full_from + _SPILLS_S:
            self._full_from = now
            self._observer.disturbance *= _FREED
            self.bucket.rate = (self.limit or 0) / 60 - self._observer.disturbance

    def _believe(self, limit: int, sent_at: float, now: float) -> None:
        self.limit = limit
        rate = limit / 60
        capacity = max(_BURST_NEEDS * self._need, rate * _BURST_S)
        if self._blind_from is None:
            self._blind_from = sent_at
        self.bucket.refit(now, rate=rate, capacity=capacity)

    def _margin(self, rate: float) -> float:
        wanted = max(_MARGIN_NEEDS * self._need, _MARGIN_S * rate)
        if self.charging.mode == "late":
            wanted *= _LATE_MARGIN
        return min(wanted, _MARGIN_SHARE * self._peak)

    def _is_stuck(self, remaining: int) -> bool:
        # A figure that never moves while requests pass is no measurement.
        self._same = self._same + 1 if remaining == self._shown else 0
        self._shown = remaining
        if self._same == _STUCK and self._observer.disturbance > _CRAWL * self.bucket.rate:
            self._observer.disturbance = 0.0
            self.bucket.rate = (self.limit or 0) / 60
        return self._same >= _STUCK
