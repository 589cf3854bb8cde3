"""The pace where no header tells it: found from refusals, then tried upwards slowly."""

import math
from collections import deque

from runner.pace.bucket import Bucket
from runner.pace.doubt import Doubt

_BELOW = 0.985
"""Share of the measured rate that is used after a refusal."""
_BLIND_CUT = 0.7
# A trial of whether a lower pace helps: how much lower, and how far cuts may go in it.
_TRIAL_CUT, _DEEPEST, _DEEPEST_BAD = 0.9, 0.8, 0.6
_CUTS = 2
_LOW_ENOUGH = 0.92
_SURELY = 0.6
_RARE = 250
"""After so many that were let in, a refusal belongs to no trial."""
_REGROWN = 1.04
_PAST, _NOT_FAR = 0.82, 1.4
_LEAST_MEASURED_S = 3.0
_LEAST_MEASURED = 15
_LEAST_RATE, _SHORTEST_S = 1 / 60, 1.0
_ASKS, _FORGET = 8, 0.98
_UNHEARD, _HEARD = 20, 1
"""What is added to the requests let in during a bad time: so few tell little about a rate."""
_CREEP = 0.0004
"""Growth per second after a cut, as a share: the limit was just found, so it is near."""
_STRIDE_S = 90.0
"""After this long without a refusal the limit may well have moved: growth becomes cubic."""
_DOUBLING_S = 1.0
"""How fast a pace returns to what was let in before."""
_STEP_S = 0.25
_BURST_S = 0.25
_REFUSED_WITHIN = 2.0
"""Refusals come at once: what is out this many times longer than they take was let in."""
_FREE_RATE = 10_000.0
_IMMUNE_S, _LONGEST_IMMUNE_S = 900.0, 3600.0


class Finder:
    """Paces requests by what a server let in between two refusals.

    At a refusal the server's bucket is empty. So what it let in from one refusal to the next is
    what flowed in between, however large the bucket is. Refusals that come whatever the pace is
    are left out of it, once that has been tried.
    """

    # fmt: off
    __slots__ = (
        "_anchor", "_asked", "_asks", "_bad_at", "_bad_in", "_bucket", "_checked", "_counts_at",
        "_cut_at", "_cuts", "_delay", "_doubt", "_episode_at", "_floor", "_gates", "_goal",
        "_grown_at", "_immune_s", "_immune_until", "_least", "_let_in", "_low", "_rises_at",
        "_sent", "_serial", "_tried", "_trying", "_young",
    )
    # fmt: on

    def __init__(self, now: float) -> None:
        self._bucket: Bucket | None = None
        self._goal = self._anchor = math.inf
        self._low = 0.0
        self._cut_at = self._rises_at = self._grown_at = self._bad_at = self._counts_at = now
        self._episode_at: float | None = None
        self._sent = self._serial = self._let_in = self._bad_in = self._cuts = 0
        self._young: deque[float] = deque()
        self._delay = 0.1
        self._doubt = Doubt()
        self._least = _LEAST_RATE
        self._asked, self._asks = 0.0, 0
        self._trying = self._gates = self._checked = False
        self._floor = self._tried = 0.0
        self._immune_until = -math.inf
        self._immune_s = _IMMUNE_S

    @property
    def rate(self) -> float | None:
        """Requests per second; None while nothing was refused."""
        return self._bucket.rate if self._bucket else None

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
        self._hear(asked_s)
        self._delay += 0.2 * (now - sent_at - self._delay)
        if self._bucket is not None and sent_at <= self._cut_at:
            return self._gates
        self._age(now)
        self._let_in -= 1
        self._doubt.refused(serial)
        immune = now < self._immune_until
        if self._doubt.is_massive(amid_noise=immune) or (immune and self._doubt.is_dose()):
            self._gates = True
            self._cut_massively(now, sent_at, serial, immune=immune)
            return True
        if self._is_chance(now, serial, immune=immune):
            return False
        if not self._trying:
            self._gates = self._bucket is not None
            self._try(serial, now, self._bucket.rate if self._bucket else math.inf)
            self._cut(now, sent_at)
            if not self._gates:
                self._settle_at(_TRIAL_CUT * self._goal, now)
            self._floor = self._goal * (_DEEPEST if self._gates else 1.0)
            self._tried = self._goal / (1.0 if self._gates else _TRIAL_CUT)
        else:
            self._cut(now, sent_at)
            self._cuts += 1
            heard = self._goal == self._low
            if heard and (self._goal < self._floor or self._cuts >= _CUTS):
                self._settle_at(self._floor, now)
        return self._gates

    def hold(self, until: float) -> None:
        """Start slowly when the gate opens."""
        if self._bucket is not None:
            self._bucket.hold(until, 0.0)

    def _hear(self, asked_s: float | None) -> None:
        # What is asked for is often less than the time from one start to the next, so it gives no
        # rate; but a server that never asks for more than a second bears one request a second.
        if asked_s is not None:
            self._asked = max(asked_s, _FORGET * self._asked)
            self._asks += 1
        known = self._asks >= _ASKS
        self._least = 1 / max(self._asked, _SHORTEST_S) if known else _LEAST_RATE

    def _cut_massively(self, now: float, sent_at: float, serial: int, *, immune: bool) -> None:
        before = self._bucket.rate if self._bucket else math.inf
        measured = self._cut(now, sent_at)
        if immune:
            if self._doubt.is_refuted():
                self._doubt.was_wrong()
                self._immune_until, self._immune_s = -math.inf, _IMMUNE_S
            self._doubt.begin(serial)
            return
        self._try(serial, now, self._goal if measured else before)
        self._checked = False
        self._floor = _DEEPEST_BAD * self._goal
        self._tried = self._goal

    def _is_chance(self, now: float, serial: int, *, immune: bool) -> bool:
        doubt = self._doubt
        if immune:
            return True
        if self._bucket is None:
            return not doubt.is_steady()
        if not self._trying:
            return False
        rare = self._gates and self._sent > _RARE
        if rare or self._bucket.rate > _LOW_ENOUGH * self._tried:
            # Not low enough for a verdict yet, or no longer, after a good time.
            self._count_from(serial, now)
            self._trying = self._bucket.rate <= _REGROWN * self._tried and not rare
            return False
        if not doubt.is_chance():
            if doubt.is_too_much():
                self._floor *= _DEEPEST_BAD
                self._count_from(serial, now)
            return False
        if self._gates and not self._checked:
            # Gates had their part in it: what was let in all the same is what counts.
            self._checked = True
            flow = doubt.let_in / max(1.0, now - self._counts_at)
            self._tried = min(self._tried, flow)
            self._floor = min(self._floor, _DEEPEST * flow)
            self._count_from(serial, now)
            return False
        doubt.begin(serial)
        doubt.settle()
        self._immune_until = now + self._immune_s
        self._immune_s = min(_LONGEST_IMMUNE_S, 2 * self._immune_s)
        self._trying = self._gates = False
        self._goal, self._low, self._rises_at = self._anchor, self._bucket.rate, now
        return True

    def _try(self, serial: int, now: float, anchor: float) -> None:
        """Begin to see whether fewer are refused at a lower pace."""
        self._count_from(serial, now)
        self._trying, self._anchor, self._cuts, self._checked = True, anchor, 0, True

    def _count_from(self, serial: int, now: float) -> None:
        self._doubt.begin(serial)
        self._counts_at = now

    def _settle_at(self, rate: float, now: float) -> None:
        self._goal = self._low = rate
        self._set(rate, now)

    def _cut(self, now: float, sent_at: float) -> bool:
        """Cut to what was let in; tell whether that could be measured."""
        began = sent_at if self._episode_at is None else self._episode_at
        span = sent_at - began
        known = self._sent if self._sent > 0 else _UNHEARD
        rate = self._bucket.rate if self._bucket else known / max(span, 1.0)
        measured = span >= _LEAST_MEASURED_S and self._sent >= _LEAST_MEASURED
        if measured:
            let_in = self._sent / span
            if now < self._immune_until:
                # Of those that are sent some will be refused whatever the pace.
                let_in /= 1 - _SURELY * self._doubt.noise
            let_in = min(rate, let_in) * _BELOW
            # Chance hid the limit for long: the pace was below it for most of the time.
            past = min(_PAST * rate, _NOT_FAR * let_in) if now < self._immune_until else 0.0
            self._goal = self._low = max(let_in, past)
            self._bad_at, self._bad_in = now, 0
        else:
            heard = self._bucket is None or self._let_in > 0
            self._bad_in += max(0, self._let_in)
            known = self._bad_in + (_HEARD if self._bad_in else _UNHEARD)
            flow = known / max(1.0, now - self._bad_at)
            self._low = max(_BLIND_CUT * rate, min(rate, flow))
            if heard:
                self._goal = self._low
        self._low = max(self._low, min(rate, self._least))
        self._goal = max(self._goal, self._low)
        self._set(self._low, now)
        self._cut_at = self._rises_at = self._grown_at = now
        self._episode_at = sent_at
        self._sent = self._let_in = 0
        self._young.clear()
        self._doubt.settle()
        return measured

    def _age(self, now: float) -> None:
        old = now - _REFUSED_WITHIN * self._delay
        while self._young and self._young[0] <= old:
            self._young.popleft()
            self._let_in += 1

    def _grow(self, now: float) -> None:
        since = now - self._cut_at
        self._grown_at = now
        goal = self._goal * (1 + _CREEP * since + (since / _STRIDE_S) ** 3)
        doublings = min(60.0, (now - self._rises_at) / _DOUBLING_S)
        rate = min(goal, self._low * 2.0**doublings)
        if rate > _FREE_RATE:
            self._bucket = None
        else:
            self._set(rate, now)

    def _set(self, rate: float, now: float) -> None:
        rate = max(rate, self._least)
        capacity = max(1.0, rate * _BURST_S)
        if self._bucket is None:
            self._bucket = Bucket(now, rate=rate, capacity=capacity, level=0.0)
        else:
            self._bucket.refit(now, rate=rate, capacity=capacity)
