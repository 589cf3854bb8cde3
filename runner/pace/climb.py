"""The search for the level of requests in flight at which most gets done. Pure; hears of answers.

First it doubles with every round trip for as long as that pays. Then it stays where most was done
and tries a little more and a little less now and then. What refuses or fails is not its business.
"""

import math
from typing import Literal

from msgspec import Struct

from runner.pace.ramp import LEAST_RAMP, NEARLY, WORSE, Ramp
from runner.pace.throughput import Shape, Window

_LEAST = 40
"""Answers in a window when one level is compared with another."""

# Doubling.
_FAST_BELOW, _FAST, _SLOW = 100, 4.0, 0.6
"""How many more each answer lets out below this level, and above it: what lies between the level
and its answers is overshot, and takes as long to end as the server has become slow."""
_ASKED_FOR = 2.0
"""The same above it where a person asked for more: the level trebles with a round trip."""
_NEAR_WALL = 1.0
"""The same where something above refuses."""
_WARY, _WARY_LONG = 1.06, 5
"""So much slower, and the level waits for the next window; for so many at the most."""
_SLOWED, _SLOWED_KEEN, _SLOWED_UNKNOWN = 1.1, 1.3, 1.4
"""So much slower for sure, and doubling gives way to trying."""
_SURE = 2.0
"""Standard errors."""
_EARLY_ANSWERS = 3.0
"""The first answers are the short ones: where lengths are unknown so many tell nothing."""
_CAPPED_TRIPS = 1.5

# Trying.
_BUSY = 0.8
"""Share of a level from which on an answer tells about it."""
_WIDE, _WIDEST, _NARROW = 1.25, 2.0, 1.12
"""Steps, as factors."""
_FINER_DOWN = 0.6
"""Steps down are smaller, so that the two together meet all levels."""
_GAIN = 0.2
"""The part of a step up that has to arrive as throughput."""
_AS_GOOD = 0.995
"""A step down may lose this much."""
_CLEARLY_MORE = 1.04
"""A step down must gain this much where the highest level that does no harm is wanted."""
_EARLY = 3.0
"""Standard errors from which on a trial is over before its time."""
_SLOWER = 1.06
"""A server that is no slower than with far fewer would only do less with less to do."""
_SLOWER_BY_FAR = 1.2
"""So much slower, and a step down is tried first."""
_CHANGED = 0.2
"""The server itself became so much slower or faster: everything is open again."""
_REST_S, _LONGEST_REST_S = 6.0, 60.0
_REST_TRIPS = 4.0


class Answer(Struct, frozen=True, gc=False):
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
        self.cap = self._top = top
        self.doubling = True
        self.trip = 0.0
        """The mean latency, in seconds."""
        self._keen = keen
        self._shape = Shape()
        self._window = Window()
        self._ramp = Ramp()
        self._base = level
        self._held: Window | None = None
        self._trying: Literal["", "up", "down"] = ""
        self._next: Literal["up", "down"] = "up"
        self._refuted = 0
        self._step = _WIDE
        self._rest = _REST_S
        self._capped_at = math.inf
        self._probe_at = now
        self._since = now
        self._wary_for = 0
        self._down_first = False
        self._leapt = 0.0
        """The level that was leapt to."""
        self._early = _EARLY_ANSWERS * level

    def answered(self, answer: Answer, now: float, in_flight: int, *, used: bool) -> None:
        """Learn from an answer; `in_flight` is counted with it.

        `used`: whether the level was reached while it was on its way.
        """
        self.trip += (answer.seconds - self.trip) * (0.05 if self.trip else 1.0)
        if answer.tokens is not None:
            self._shape.add(answer.seconds, answer.tokens)
        if in_flight > self.level + 1 and not self.doubling:
            self._since = now  # more than wanted are still out: it is not this level yet
        if not used or not self._counts(answer, now):
            return
        tokens = self._shape.tokens or 0.0 if answer.tokens is None else answer.tokens
        # The server had other numbers to serve while it was at it.
        level = (2 * answer.in_flight + in_flight) / 3
        if not self.doubling:
            self._window.add(level, answer.seconds, tokens)
            self._review(now)
            return
        if not self._wary_for:
            self.level = min(self.cap, self.level + self._more())
        if answer.in_flight < _BUSY * self._leapt:
            self._ramp.add_early(answer.in_flight, answer.seconds, tokens)
            return
        self._window.add(level, answer.seconds, tokens)
        self._review_ramp(now)

    def _more(self) -> float:
        more = _FAST if self.level < _FAST_BELOW else _ASKED_FOR if self._keen else _SLOW
        return min(more, _NEAR_WALL) if self.cap < self._top else more

    def go(self, now: float, level: float, *, doubling: bool = False) -> None:
        """Stay at `level` from now on, or go on doubling from there."""
        self._base = self.level = level
        self._held = None
        self._trying, self._next, self._refuted = "", "up", 0
        self._step, self._rest = _WIDE, _REST_S
        self.doubling = doubling
        self._window = Window()
        self._since = self._probe_at = now

    def leap(self, level: float) -> None:
        """Go up at once while doubling; who was asked before tells of the levels below."""
        if level > self.level:
            self.level = self._leapt = level
            self._ramp.leap()
            self._window = Window()

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
        self._capped_at = min(self._capped_at, now) if self.level >= self.cap else math.inf
        if now >= self._capped_at + _CAPPED_TRIPS * self.trip:
            self._settle(now, self._unhurried(window, self.level))
            return
        if window.count < max(LEAST_RAMP, 0.07 * self.level):
            return
        self._window = Window()
        self._early -= window.count
        known = constant is not None
        if self._early > 0 and not known:
            return
        self._ramp.add(window)
        slowed = self._ramp.slowed(window, constant) or 1.0
        wary = slowed > (_WARY if known else _SLOWED_UNKNOWN)
        self._wary_for = self._wary_for + 1 if wary and self._wary_for < _WARY_LONG else 0
        sure = 1 - _SURE * window.error(constant)
        limit = _SLOWED if known else _SLOWED_UNKNOWN
        if slowed * sure > (_SLOWED_KEEN if self._keen else limit):
            best = self._ramp.best(window.level / slowed, constant, keen=self._keen)
            self._step = _NARROW if best < NEARLY * window.level else _WIDE
            self._settle(now, self._unhurried(window, best))

    def _unhurried(self, window: Window, level: float) -> float:
        """Step back at once where the level a person gave does no more than far fewer did.

        Half-way, on a scale of factors, to the level at which it would be as fast as with few. That
        it is slower alone means little: it may be this machine that does not keep up.
        """
        constant = self._shape.constant
        if not self._keen or window.count < LEAST_RAMP:
            return level
        slowed = self._ramp.slowed(window, constant) or 1.0
        if slowed <= _SLOWED_KEEN or not self._ramp.does_no_more(window, constant):
            return level
        far = math.sqrt(slowed)
        self._step, self._down_first = min(_WIDEST, max(_WIDE, far)), True
        return min(level, window.level / far)

    def _settle(self, now: float, level: float) -> None:
        self.doubling = False
        self._base = self.level = level
        self._window = Window()
        self._since = self._probe_at = now

    def _review(self, now: float) -> None:
        window = self._window
        if window.count < max(LEAST_RAMP, 0.2 * self.level):
            return
        known = self._shape.constant is not None
        full = window.count >= max(_LEAST, (0.5 if known else 0.7) * self.level) and (
            known or now >= self._since + self.trip
        )
        verdict = self._verdict(window, full=full) if self._trying else None
        if not full and verdict is None:
            return
        self._window = Window()
        self._since = now
        if verdict is None:
            self._hold(window, now)
        elif verdict:
            self._take(window, now)
        else:
            self._refute(now)

    def _hold(self, window: Window, now: float) -> None:
        constant = self._shape.constant
        if self._held is not None:
            before = self._held.slowness(constant)
            if abs(window.slowness(constant) / before - 1) > _CHANGED:
                self._held, self._step, self._probe_at = None, _WIDE, now
                self._rest, self._refuted = _REST_S, 0
        if self._held is None:
            self._held = window
            slowed = self._ramp.slowed(window, constant) or 1.0
            self._next = "down" if self._down_first or slowed > _SLOWER_BY_FAR else "up"
        else:
            self._held.fade(0.5)
            self._held.merge(window)
        if now >= self._probe_at:
            self._try(now)

    def _try(self, now: float) -> None:
        up = min(self.cap, max(self._base + 1, self._base * self._step))
        may_rise = up >= self._base + 1
        may_fall = self._base > 1 and self._is_slower()
        if may_rise and (self._next == "up" or not may_fall):
            self._trying, self.level = "up", up
        elif may_fall:
            finer = 1.0 if self._keen or self._step > _NARROW else _FINER_DOWN
            down = max(1.0, min(self._base - 1, self._base / self._step**finer))
            self._trying, self.level = "down", down
        else:
            self._probe_at = now + self._rest
            return
        self._since = now

    def _is_slower(self) -> bool:
        constant = self._shape.constant
        slowed = self._ramp.slowed(self._held, constant, early=False) if self._held else None
        return slowed is None or slowed > _SLOWER

    def _verdict(self, window: Window, *, full: bool) -> bool | None:
        """Tell whether the level that is tried does better; None while that is not clear."""
        gain, error = self._gain(window)
        if self._trying == "up":
            ratio = self.level / self._base
            needed = WORSE if self._keen else 1 + _GAIN * (ratio - 1)
        else:
            needed = _CLEARLY_MORE if self._keen else _AS_GOOD
        if full:
            return gain >= needed
        if self._shape.constant is not None and abs(gain - needed) > _EARLY * error * gain:
            return gain > needed
        return None

    def _gain(self, window: Window) -> tuple[float, float]:
        constant = self._shape.constant
        held = self._held or window
        gain = window.throughput(constant) / held.throughput(constant)
        return gain, math.hypot(window.error(constant), held.error(constant))

    def _take(self, window: Window, now: float) -> None:
        ratio = self.level / self._base
        if self._trying == "up" and self._gain(window)[0] >= 1 + 0.7 * (ratio - 1):
            self._step = min(_WIDEST, self._step**1.7)
        self._base, self._held, self._refuted, self._trying = self.level, window, 0, ""
        self._try(now)

    def _refute(self, now: float) -> None:
        self._next = "down" if self._trying == "up" else "up"
        self._trying, self.level = "", self._base
        lone = not self._is_slower() if self._next == "down" else self._base >= self.cap
        self._refuted += 2 if lone else 1
        if self._refuted >= 2:
            self._refuted = 0
            if self._step <= _NARROW:
                self._probe_at = now + max(self._rest, _REST_TRIPS * self.trip)
                self._rest = min(_LONGEST_REST_S, 2 * self._rest)
            self._step = max(_NARROW, self._step**0.5)
