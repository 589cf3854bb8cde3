"""The pace where no header tells it: found from refusals, then tried upwards slowly."""

import math
from collections import deque

from runner.pace.bucket import Bucket
from runner.pace.doubt import Doubt
from runner.pace.inflow import Inflow
from runner.pace.regrowth import Asked, Regrowth
from runner.pace.trial import Trial

_BELOW = 0.985
"""Share of the measured rate that is used after a refusal."""
_BLIND_CUT = 0.7
# A trial of whether a lower pace helps: how much lower, and how far cuts may go in it.
_TRIAL_CUT, _DEEPEST, _DEEPEST_BAD = 0.9, 0.8, 0.6
_CUTS = 2
_LOW_ENOUGH = 0.92
_SLOW, _STILL_SLOW = 0.5, 1.2
"""At half of what a server lets in no refusal is for rate; up to so much more counts as that."""
_SURELY = 0.6
_RARE = 250
"""After so many that were let in, a refusal belongs to no trial."""
_REGROWN = 1.04
_PAST, _NOT_FAR = 0.82, 1.4
_LEAST_MEASURED_S = 3.0
_LEAST_MEASURED = 15
_UNHEARD, _HEARD = 20, 1
"""What is added to the requests let in during a bad time: so few tell little about a rate."""
_STEP_S = 0.25
_BURST_S = 0.25
_REFUSED_WITHIN = 2.0
"""Refusals come at once: what is out this many times longer than they take was let in."""
_FREE_RATE = 10_000.0


class Finder:
    """Paces requests by what a server let in between two refusals.

    At a refusal the server's bucket is empty. So what it let in from one refusal to the next is
    what flowed in between, however large the bucket is. Refusals that come whatever the pace is
    are left out of it, once that has been tried.
    """

    # fmt: off
    __slots__ = (
        "_asked", "_bad_at", "_bad_in", "_bucket", "_counts_at", "_delay", "_doubt", "_episode_at",
        "_grown_at", "_growth", "_inflow", "_let_in", "_sent", "_serial", "_trial", "_young",
    )
    # fmt: on

    def __init__(self, now: float) -> None:
        self._bucket: Bucket | None = None
        self._growth, self._asked = Regrowth(now), Asked()
        self._doubt, self._inflow, self._trial = Doubt(), Inflow(), Trial()
        self._grown_at = self._bad_at = self._counts_at = now
        self._episode_at: float | None = None
        self._sent = self._serial = self._let_in = self._bad_in = 0
        self._young: deque[float] = deque()
        self._delay = 0.1

    @property
    def rate(self) -> float | None:
        """Requests per second; None while nothing was refused."""
        return self._bucket.rate if self._bucket else None

    def doubts(self, now: float) -> bool:
        """Tell whether refusals are taken for chance just now, whatever the pace."""
        return now < self._trial.immune_until

    def wait(self, now: float) -> float:
        """Tell how many seconds the next request has to wait."""
        if self._bucket is not None and now - self._grown_at >= _STEP_S:
            self._grow(now)
        return 0.0 if self._bucket is None else self._bucket.wait(1.0, now)

    def sent(self, now: float) -> int:
        """Note a request that goes out; give its number."""
        if self._episode_at is None:
            self._episode_at = now
        self._sent += 1
        self._serial += 1
        if self._bucket is not None:
            self._bucket.take(1.0, now)
            self._young.append(now)
            self._age(now)
        return self._serial

    def unsent(self, now: float) -> None:
        """Take a request back that did not go out."""
        self._sent -= 1
        if self._bucket is not None:
            self._bucket.take(-1.0, now)
            if self._young:
                self._young.pop()

    def refused(
        self, now: float, sent_at: float, serial: int, *, cut: bool, asked_s: float | None = None
    ) -> bool:
        """Cut the pace, once an episode: who was sent before the last cut tells nothing new.

        False if nothing was done since it looks like chance: then only the job itself has to wait.
        """
        self._sent -= 1
        if not cut:
            return True
        trial = self._trial
        self._asked.hear(asked_s)
        self._delay += 0.2 * (now - sent_at - self._delay)
        if self._bucket is not None and sent_at <= self._growth.cut_at:
            return trial.shuts(asked_s)
        self._age(now)
        self._let_in -= 1
        immune = self.doubts(now)
        self._doubt.refused(serial, amid_noise=immune)
        slow = trial.running and self._is_slow()
        if not slow and self._is_far_too_fast(immune=immune):
            trial.gates = True
            self._cut_massively(now, sent_at, serial, immune=immune)
            return True
        if self._is_chance(now, serial, immune=immune):
            return False
        if slow:
            self._growth.cut_at = sent_at  # slower still would tell no more, and faster less
        elif trial.running:
            self._cut_on(now, sent_at)
        else:
            self._cut_first(now, sent_at, serial)
        return trial.shuts(asked_s)

    def hold(self, until: float) -> None:
        """Start slowly when the gate opens."""
        if self._bucket is not None:
            self._bucket.hold(until, 0.0)

    def _cut_first(self, now: float, sent_at: float, serial: int) -> None:
        """Begin a trial with a cut."""
        trial, growth = self._trial, self._growth
        trial.gates = self._bucket is not None
        self._count_from(serial, now)
        trial.begin(self._bucket.rate if self._bucket else math.inf)
        self._cut(now, sent_at)
        if not trial.gates:
            self._settle_at(_TRIAL_CUT * growth.goal, now)
        trial.floor = growth.goal * (_DEEPEST if trial.gates else 1.0)
        trial.tried = growth.goal / (1.0 if trial.gates else _TRIAL_CUT)

    def _cut_on(self, now: float, sent_at: float) -> None:
        """Cut within a trial, down to its floor."""
        trial, growth = self._trial, self._growth
        self._cut(now, sent_at)
        trial.cuts += 1
        heard = growth.goal == growth.low
        if heard and (growth.goal < trial.floor or trial.cuts >= _CUTS):
            self._settle_at(trial.floor, now)

    def _cut_massively(self, now: float, sent_at: float, serial: int, *, immune: bool) -> None:
        before = self._bucket.rate if self._bucket else math.inf
        measured = self._cut(now, sent_at)
        trial, goal = self._trial, self._growth.goal
        if immune:
            if self._doubt.is_refuted():
                self._doubt.was_wrong()
                trial.convict()
            self._doubt.begin(serial)
            return
        self._count_from(serial, now)
        trial.begin(goal if measured else before)
        trial.checked = False
        trial.floor, trial.tried = _DEEPEST_BAD * goal, goal

    def _is_chance(self, now: float, serial: int, *, immune: bool) -> bool:
        doubt, trial = self._doubt, self._trial
        if immune:
            doubt.learn()
            return True
        if self._bucket is None:
            return not doubt.is_steady()
        if not trial.running:
            return False
        rare = trial.gates and self._sent > _RARE
        if rare or self._bucket.rate > _LOW_ENOUGH * trial.tried:
            # Not low enough for a verdict yet, or no longer, after a good time.
            self._count_from(serial, now)
            trial.running = self._bucket.rate <= _REGROWN * trial.tried and not rare
            return False
        slow = self._is_slow()
        if not doubt.is_chance(slow=slow):
            self._lower_floor(now, serial, slow=slow)
            return False
        if trial.gates and not trial.checked and not slow:
            self._check(now, serial)
            return False
        doubt.begin(serial)
        doubt.settle()
        trial.acquit(now)
        self._inflow.forget()
        self._growth.rise(now, self._bucket.rate, trial.anchor)
        return True

    def _lower_floor(self, now: float, serial: int, *, slow: bool) -> None:
        """Where too much is refused even so: try it far below what the server lets in."""
        doubt, trial, flow = self._doubt, self._trial, self._inflow.rate
        if slow:
            if doubt.is_all():
                self._count_from(serial, now)
        elif doubt.is_too_much():
            trial.lowered = True
            trial.floor *= _DEEPEST_BAD
            if flow:
                trial.floor = min(trial.floor, _SLOW * flow)
                self._settle_at(trial.floor, now)
            self._count_from(serial, now)

    def _check(self, now: float, serial: int) -> None:
        # Gates had their part in it: what was let in all the same is what counts.
        trial = self._trial
        trial.checked = True
        flow = self._doubt.let_in / max(1.0, now - self._counts_at)
        trial.tried = min(trial.tried, flow)
        trial.floor = min(trial.floor, _DEEPEST * flow)
        self._count_from(serial, now)

    def _is_far_too_fast(self, *, immune: bool) -> bool:
        doubt = self._doubt
        return doubt.is_massive(amid_noise=immune) or (immune and doubt.is_dose())

    def _is_slow(self) -> bool:
        rate = math.inf if self._bucket is None else self._bucket.rate
        return rate <= _STILL_SLOW * max(_SLOW * self._inflow.rate, self._asked.least)

    def _count_from(self, serial: int, now: float) -> None:
        self._doubt.begin(serial)
        self._counts_at = now

    def _settle_at(self, rate: float, now: float) -> None:
        self._growth.settle(rate)
        self._set(rate, now)

    def _cut(self, now: float, sent_at: float) -> bool:
        """Cut to what was let in; tell whether that could be measured."""
        began = sent_at if self._episode_at is None else self._episode_at
        span = sent_at - began
        known = self._sent if self._sent > 0 else _UNHEARD
        rate = self._bucket.rate if self._bucket else known / max(span, 1.0)
        self._inflow.refused(now, self._sent)
        measured = span >= _LEAST_MEASURED_S and self._sent >= _LEAST_MEASURED
        growth = self._growth
        if measured:
            growth.settle(self._measured(rate, self._sent / span, now))
            self._bad_at, self._bad_in = now, 0
        else:
            heard = self._bucket is None or self._let_in > 0
            self._bad_in += max(0, self._let_in)
            known = self._bad_in + (_HEARD if self._bad_in else _UNHEARD)
            flow = known / max(1.0, now - self._bad_at)
            growth.low = max(_BLIND_CUT * rate, min(rate, flow))
            if heard:
                growth.goal = growth.low
        growth.low = max(growth.low, min(rate, self._asked.least))
        growth.goal = max(growth.goal, growth.low)
        self._set(growth.low, now)
        growth.begin(now)
        self._grown_at, self._episode_at = now, sent_at
        self._sent = self._let_in = 0
        self._young.clear()
        self._doubt.settle()
        return measured

    def _measured(self, rate: float, let_in: float, now: float) -> float:
        """Give the rate to go on with, of which `let_in` passed."""
        if not self.doubts(now):
            return min(rate, let_in) * _BELOW
        # Of those that are sent some will be refused whatever the pace.
        let_in = min(rate, let_in / (1 - _SURELY * self._doubt.noise)) * _BELOW
        # Chance hid the limit for long: the pace was below it for most of the time.
        return max(let_in, min(_PAST * rate, _NOT_FAR * let_in))

    def _age(self, now: float) -> None:
        old = now - _REFUSED_WITHIN * self._delay
        while self._young and self._young[0] <= old:
            self._young.popleft()
            self._let_in += 1

    def _grow(self, now: float) -> None:
        self._grown_at = now
        rate = self._growth.rate(now)
        if rate > _FREE_RATE:
            self._bucket = None
        else:
            self._set(rate, now)

    def _set(self, rate: float, now: float) -> None:
        rate = max(rate, self._asked.least)
        capacity = max(1.0, rate * _BURST_S)
        if self._bucket is None:
            self._bucket = Bucket(now, rate=rate, capacity=capacity, level=0.0)
        else:
            self._bucket.refit(now, rate=rate, capacity=capacity)
