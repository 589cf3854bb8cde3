"""The pace of a run: which request may start when, over all its lanes. Pure; the clock comes in."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from runner.pace.budget import Budget, Reservation
from runner.pace.lane import Grant, Lane, family
from runner.pace.limiter import Limiter
from runner.pace.permit import Need
from runner.pace.valve import Valve

MOST_IN_FLIGHT = 1_000
"""Of its own accord a run never has more requests out: each takes a file and 2 ms of CPU."""


_FIRST_IN_FLIGHT = 6
"""Of its own accord a run sends no more before the first answer: a small account lets a second's
worth of requests in at once, and another run may begin in the same second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """Requests and tokens a minute that a person allows; None where nobody said."""

    rpm: int | None = None
    tpm: int | None = None

    @property
    def given(self) -> bool:
        """Whether anything was said."""
        return self.rpm is not None or self.tpm is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What is known of a provider before the first request."""

    ceilings: Ceilings = Ceilings()
    cached_is_free: bool = False


@dataclass(kw_only=True)
class Pace:
    """Lets requests start as fast as limits, servers and the user permit."""

    now: float
    concurrency: int | None = None
    """A hard ceiling; None lets the run find its own level."""
    ceilings: Ceilings = Ceilings()
    accounts: Mapping[str, Account] = field(default_factory=dict)
    """By provider; one that is not named has no ceilings."""
    draw: Callable[[], float]
    """Random numbers from 0 to 1: they spread those who wait for one moment."""
    most: int = MOST_IN_FLIGHT
    """What the system allows where no concurrency is given."""
    budget: Budget | None = None
    """Money that may still be spent; None sets no bound."""
    in_flight: int = 0
    _short: bool = field(default=False, init=False)
    """Whether the last request that was asked for has to wait for money."""

    def __post_init__(self) -> None:
        """Begin with nothing learnt."""
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._providers: dict[str, Limiter] = {}
        self._run = self._given(self.ceilings)
        self.most_in_flight = self.most if self.concurrency is None else self.concurrency

    @property
    def ceiling(self) -> int:
        """How many requests may be out just now, whatever their rate."""
        if not self._lanes:
            return self.most_in_flight
        ceilings = sum([lane.valve.ceiling for lane in self._lanes.values()])
        return max(1, min(self.most_in_flight, ceilings))

    @property
    def lanes(self) -> list[Lane]:
        """The lanes that have been asked for."""
        return list(self._lanes.values())

    def lane(self, provider: str, model: str) -> Lane:
        """Find the lane in which a model's requests go."""
        key = (provider, family(model))
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = self._open(provider)
        return lane

    def wait(self, lane: Lane, need: Need, now: float, worst: int = 0) -> float:
        """Tell in how many seconds a request may start; infinity: not before another has ended.

        `worst`: the most that it can cost.
        """
        if self.in_flight >= self.most_in_flight:
            return math.inf
        self._short = self.budget is not None and not self.budget.admit(worst)
        if self._short:
            return math.inf
        if not lane.valve.may_start:
            lane.valve.advance(now)
            if not lane.valve.may_start:
                return lane.valve.look_again(now)
        return lane.wait(need, now)

    def out_of_money(self, worst: int) -> bool:
        """Whether what is left does not pay for a request, even if nothing else is out."""
        return self.budget is not None and self.budget.exhausted(worst)

    def why(self, now: float) -> str | None:
        """Tell in a word what holds the pace just now; None where nothing does.

        `rpm` and `tpm` are limits a minute, `-c` the concurrency given, `server` what was found by
        trying, `budget` the money left; `429, 12 s` a refusal that all wait for.
        """
        if self._short:
            return "budget"
        holders = [lane.holds(now) for lane in self.lanes]
        if holders and all(holder == "gate" for holder in holders):
            left = max(lane.own.gate_left(now) for lane in self.lanes)
            return f"429, {math.ceil(left)} s"
        for holder in holders:
            if holder is not None and holder != "gate":
                return holder
        if self.concurrency is not None and self.in_flight >= self.concurrency:
            return "-c"
        held = any(not lane.valve.may_start for lane in self.lanes)
        return "server" if held else None

    def start(self, lane: Lane, need: Need, now: float, worst: int = 0) -> Grant:
        """Start a request now, for which `wait` has just said that it may."""
        held = None if self.budget is None else self.budget.reserve(worst)
        self.in_flight += 1
        permits = [(limiter, limiter.reserve(need, now)) for limiter in (*lane.given, lane.own)]
        ticket = lane.valve.started(now)
        return Grant(lane, permits, ticket, self.draw, partial(self._ended, held))

    def _ended(self, held: Reservation | None, cost: int | None) -> None:
        self.in_flight -= 1
        if self.budget is not None and held is not None:
            self.budget.settle(held, cost)

    def _open(self, provider: str) -> Lane:
        account = self.accounts.get(provider, Account())
        if provider not in self._providers and account.ceilings.given:
            self._providers[provider] = Limiter(
                self.now, rpm=account.ceilings.rpm, tpm=account.ceilings.tpm
            )
        given = [self._run, self._providers.get(provider)]
        return Lane(
            own=Limiter(self.now),
            given=tuple(limiter for limiter in given if limiter is not None),
            valve=Valve(
                self.now,
                most=self.concurrency,
                system=self.most,
                start=_FIRST_IN_FLIGHT if self.concurrency is None else None,
            ),
            cached_is_free=account.cached_is_free,
        )

    def _given(self, ceilings: Ceilings) -> Limiter | None:
        if not ceilings.given:
            return None
        return Limiter(self.now, rpm=ceilings.rpm, tpm=ceilings.tpm)
