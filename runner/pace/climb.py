"""The search for the level of requests in flight at which most gets done. Pure; hears of answers.

First it doubles with every round trip for as long as that pays. Then it stays where most was done
and tries a little more and a little less now and then. What refuses or fails is not its business.
"""

import math
from dataclasses import dataclass
from typing import Literal

from runner.pace.throughput import Shape, Window

_LEAST_RAMP, _LEAST = 16, 40
_SLOWED, _SLOWED_KEEN = 1.15, 1.6
"""From here on a server is slower than it was with fewer: doubling gives way to trying."""
_FAST_BELOW = 100
"""Below this, each answer lets two more out instead of one."""
_UNKNOWN_TRIPS = 3.0
_BUSY = 0.8
"""A level counts as used from this share of it on."""
_SURE = 1.5
"""Standard errors."""
_WIDE, _WIDEST, _NARROW = 1.25, 1.6, 1.11
_GAIN = 0.2
"""The part of a step up that has to arrive as throughput."""
_AS_GOOD = 0.995
_WORSE = 0.96
_SLOWER = 1.12
"""A server that is no slower than it ever was would do less with less to do."""
_CHANGED = 0.2
_REST_S, _LONGEST_REST_S = 4.0, 60.0
_REST_TRIPS = 4.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that came whole."""

    started_at: float
    in_flight: int
    """With itself, when it was asked for."""
    seconds: float
    tokens: float | None


class Climb:
    """One level and how it came about."""

    def __init__(self, now: float, level: float, *, top: float, keen: bool) -> None:
        """Begin with doubling; `keen` wants the highest level that does no harm."""
        self.level = level
        self.cap = top
        self.doubling = True
        self.trip = 0.0
        """The mean latency, in seconds."""
        self._keen = keen
        self._shape = Shape()
        self._window = Window()
        self._ramp: list[Window] = []
        self._base = level
        self._held: Window | None = None
        self._trying: Literal["", "up", "down"] = ""
        self._next: Literal["up", "down"] = "up"
        self._refuted = 0
        self._step = _WIDE
        self._rest = _REST_S
        self._probe_at = now
        self._since = self._began = now

    def answered(self, answer: Answer, now: float, in_flight: int) -> None:
        """Learn from an answer; `in_flight` is counted with it."""
        self.trip += (answer.seconds - self.trip) * (0.05 if self.trip else 1.0)
        if answer.tokens is not None:
            self._shape.add(answer.seconds, answer.tokens)
        if in_flight > self.level + 1 and not self.doubling:
            self._since = now  # more than wanted are still out: it is not this level yet
        if in_flight < _BUSY * self.level or not self._counts(answer, now):
            return
        tokens = self._shape.tokens or 0.0 if answer.tokens is None else answer.tokens
        # The server had other numbers to serve while it was at it.
        level = (3 * answer.in_flight + in_flight) / 4
        self._window.add(level, answer.seconds, tokens)
        if self.doubling:
            self.level = min(self.cap, self.level + (2 if self.level < _FAST_BELOW else 1))
            self._review_ramp(now)
        elif self._window.count >= max(_LEAST, 0.7 * self.level) and now >= self._since + self.trip:
            self._review(now)

    def go(self, now: float, level: float, *, doubling: bool = False) -> None:
        """Stay at `level` from now on, or go on doubling from there."""
        self._base = self.level = level
        self._held = None
        self._trying, self._next, self._refuted = "", "up", 0
        self._step, self._rest = _WIDE, _REST_S
        self.doubling = doubling
        self._window = Window()
        self._since = self._probe_at = now

    def _counts(self, answer: Answer, now: float) -> bool:
        if self.doubling:
            return True
        if answer.in_flight < _BUSY * self.level:
            return False
        # Short answers come first; only where lengths are known does that not matter.
        known = self._shape.constant is not None
        return answer.started_at >= self._since if known else now >= self._since + self.trip

    def _review_ramp(self, now: float) -> None:
        window, constant = self._window, self._shape.constant
        if self.level >= self.cap:
            self._settle(now, self.level)
        if window.count < max(_LEAST_RAMP, 0.1 * self.level):
            return
        self._window = Window()
        if constant is None and now < self._began + _UNKNOWN_TRIPS * self.trip:
            return
        self._ramp.append(window)
        slowed = self._slowed(window)
        sure = 1 - _SURE * window.error(constant)
        if self.doubling and slowed * sure > (_SLOWED_KEEN if self._keen else _SLOWED):
            self._settle(now, max(1.0, window.level / (1.0 if self._keen else slowed)))

    def _slowed(self, window: Window) -> float:
        """Tell how much slower the server is than it ever was, as a factor."""
        constant = self._shape.constant
        least = min(
            (one.slowness(constant) * (1 + one.error(constant)) for one in self._ramp),
            default=math.inf,
        )
        return window.slowness(constant) / least

    def _settle(self, now: float, level: float) -> None:
        self.doubling = False
        self._base = self.level = level
        self._window = Window()
        self._since = self._probe_at = now

    def _review(self, now: float) -> None:
        window, self._window = self._window, Window()
        self._since = now
        if self._trying:
            self._judge(window, now)
        else:
            self._hold(window, now)

    def _hold(self, window: Window, now: float) -> None:
        constant = self._shape.constant
        if self._held is not None:
            before = self._held.slowness(constant)
            if abs(window.slowness(constant) / before - 1) > _CHANGED:
                self._held, self._step, self._probe_at = None, _WIDE, now
                self._rest, self._refuted = _REST_S, 0
        if self._held is None:
            self._held = window
        else:
            self._held.fade(0.5)
            self._merge(self._held, window)
        if now >= self._probe_at:
            self._try(now)

    @staticmethod
    def _merge(into: Window, other: Window) -> None:
        for name in Window.__slots__:
            setattr(into, name, getattr(into, name) + getattr(other, name))

    def _try(self, now: float) -> None:
        up = min(self.cap, self._base * self._step)
        may_rise = up >= self._base + 1
        may_fall = self._base > 1 and self._is_slower()
        if may_rise and (self._next == "up" or not may_fall):
            self._trying, self.level = "up", up
        elif may_fall:
            self._trying, self.level = "down", max(1.0, min(self._base - 1, self._base / self._step))
        else:
            self._probe_at = now + self._rest
            return
        self._since = now

    def _is_slower(self) -> bool:
        return self._held is None or not self._ramp or self._slowed(self._held) > _SLOWER

    def _judge(self, window: Window, now: float) -> None:
        constant = self._shape.constant
        held = self._held or window
        gain = window.throughput(constant) / held.throughput(constant)
        ratio = self.level / self._base
        if self._trying == "up":
            taken = gain >= (_WORSE if self._keen else 1 + _GAIN * (ratio - 1))
        else:
            taken = gain >= (1.04 if self._keen else _AS_GOOD)
        if taken:
            self._base = self.level
            self._held = window
            self._refuted = 0
            if self._trying == "up" and gain >= 1 + 0.7 * (ratio - 1):
                self._step = min(_WIDEST, self._step * 1.15)
            self._trying = ""
            self._try(now)
            return
        self._next = "down" if self._trying == "up" else "up"
        self._trying, self.level = "", self._base
        self._refute(now)

    def _refute(self, now: float) -> None:
        self._refuted += 1
        if self._refuted % 2 == 0:
            if self._step <= _NARROW:
                self._rest = min(_LONGEST_REST_S, 2 * self._rest)
                self._probe_at = now + max(self._rest, _REST_TRIPS * self.trip)
            self._step = max(_NARROW, self._step**0.5)
