"""Servers that slow down, refuse or fail, and a client that sends as much as the valve lets it."""

import heapq
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from runner.pace.valve import Outcome, Ticket, Valve
from tests.pace.events import Events

_FIRST_TOKEN_S = 0.3
_PER_SECOND = 60.0
_REFUSAL_S = 0.05
_RETRY_S = 0.5

Slowdown = Callable[[int], float]
"""How many times slower everything is with so many in flight."""


def never(_: int) -> float:
    """Be as fast with many as with one."""
    return 1.0


def beyond(level: int, power: float) -> Slowdown:
    """Slow down beyond a level: throughput stays flat with a power of 1 and falls with more."""
    return lambda in_flight: max(1.0, (in_flight / level) ** power)


def saturating(level: int) -> Slowdown:
    """Bring less and less with every one more, as batching servers do."""
    return lambda in_flight: 1 + in_flight / level


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a server does."""

    slowdown: Slowdown = never
    at_start: bool = False
    """Whether the number at its start decides on a request's speed, or the number at any time."""
    most: int | None = None
    """More at once are refused with 429."""
    overload: int | None = None
    """More at once are refused with 503."""
    failing: float = 0.0
    """Share of requests that end with a 500."""
    failing_slowly: bool = False
    busy: float = 0.0
    """Share of requests that end with a 503 for no reason."""
    noise: float = 0.15
    later: "Rules | None" = None
    later_s: float = 0.0
    """From when on the server goes by other rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Answers of random length: the median in tokens, and how far they stray."""

    median: float = 80.0
    sigma: float = 0.6
    long: float = 0.0
    """Share of answers that are ten times as long."""
    speed: float = 1.0
    drift: float = 1.0
    """How much longer they get in 100 s."""

    def draw(self, chance: Random, now: float) -> tuple[float, float]:
        """Draw a length and how long it takes on an idle server."""
        tokens = math.ceil(self.median * chance.lognormvariate(0, self.sigma))
        tokens *= self.drift ** (now / 100)
        if chance.random() < self.long:
            tokens *= 10
        return tokens, (_FIRST_TOKEN_S + tokens / _PER_SECOND) / self.speed


@dataclass(slots=True)
class _Request:
    ticket: Ticket | None
    tokens: float
    work: float
    outcome: Outcome = "ok"
    finish: float = 0.0

    def __lt__(self, other: "_Request") -> bool:
        return self.finish < other.finish


class Server:
    """Shares its strength among all that are in flight, or fixes the speed of each at its start."""

    def __init__(
        self, events: Events, rules: Rules, chance: Random, done: Callable[[_Request], None]
    ) -> None:
        self._events, self._rules, self._chance, self._done = events, rules, chance, done
        self._sharing: list[_Request] = []
        self._served = self._served_at = 0.0
        self._version = 0
        self.active = 0
        if rules.later:
            events.at(rules.later_s, self._change, rules.later)

    def _change(self, rules: Rules) -> None:
        self._advance()
        self._rules = rules
        self._plan()

    def call(self, request: _Request) -> None:
        """Take a request in, or refuse it at once."""
        rules, now = self._rules, self._events.now
        outcome = self._outcome()
        if outcome in ("refused", "overloaded"):
            request.outcome = outcome
            self._events.at(now + _REFUSAL_S, self._done, request)
            return
        request.outcome = outcome
        if outcome == "failed" and not rules.failing_slowly:
            request.work = _REFUSAL_S
        self._advance()
        self.active += 1
        if rules.at_start:
            span = request.work * rules.slowdown(self.active)
            self._events.at(now + span, self._leave, request)
        else:
            request.finish = self._served + request.work
            heapq.heappush(self._sharing, request)
            self._plan()

    def _outcome(self) -> Outcome:
        rules, draw = self._rules, self._chance.random()
        if rules.most is not None and self.active >= rules.most:
            return "refused"
        if draw < rules.busy or (rules.overload is not None and self.active >= rules.overload):
            return "overloaded"
        return "failed" if draw < rules.busy + rules.failing else "ok"

    def _leave(self, request: _Request) -> None:
        self.active -= 1
        self._done(request)

    def _advance(self) -> None:
        now = self._events.now
        self._served += (now - self._served_at) / self._rules.slowdown(max(1, self.active))
        self._served_at = now

    def _plan(self) -> None:
        self._version += 1
        if self._sharing:
            left = self._sharing[0].finish - self._served
            span = max(0.0, left) * self._rules.slowdown(self.active)
            self._events.at(self._events.now + span, self._first_done, self._version)

    def _first_done(self, version: int) -> None:
        if version != self._version:
            return
        self._advance()
        request = heapq.heappop(self._sharing)
        self.active -= 1
        self._plan()
        self._done(request)


@dataclass(slots=True)
class Outcomes:
    """What a run came to."""

    seconds: float = 0.0
    tokens: float = 0.0
    ends: list[tuple[float, Outcome]] = field(default_factory=list)
    ceilings: list[tuple[float, int]] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Tokens a second."""
        return self.tokens / self.seconds

    def share(self, outcome: Outcome, since: float = 0.0) -> float:
        """Tell the share of calls that ended so."""
        ends = [end for at, end in self.ends if at >= since]
        return ends.count(outcome) / max(1, len(ends))


class Client:
    """Sends as much as the valve allows, or a fixed number at once where there is none."""

    def __init__(
        self,
        rules: Rules,
        lengths: Lengths,
        *,
        valve: Valve | None,
        level: int,
        jobs: int | None,
        tells: bool,
        seed: int,
    ) -> None:
        self.events = Events()
        self.chance = Random(seed)
        self.server = Server(self.events, rules, self.chance, self._back)
        self.lengths, self.noise = lengths, rules.noise
        self.valve, self.level = valve, level
        self.left = math.inf if jobs is None else jobs
        self.tells = tells
        self.in_flight = 0
        self.seen = Outcomes()
        self.again: list[tuple[float, float]] = []
        self.events.at(0.0, self._tick)

    def _tick(self) -> None:
        now = self.events.now
        if self.valve:
            self.valve.advance(now)
            self.seen.ceilings.append((now, self.valve.ceiling))
        self._pump()
        self.events.at(now + 1.0, self._tick)

    def _may_start(self) -> bool:
        return self.valve.may_start if self.valve else self.in_flight < self.level

    def _draws(self) -> Iterator[tuple[float, float]]:
        while self._may_start() and (self.again or self.left > 0):
            if self.again:
                yield self.again.pop()
            else:
                self.left -= 1
                yield self.lengths.draw(self.chance, self.events.now)

    def _pump(self) -> None:
        for tokens, work in self._draws():
            ticket = self.valve.started(self.events.now) if self.valve else None
            self.in_flight += 1
            span = work * self.chance.lognormvariate(0, self.noise)
            self.server.call(_Request(ticket, tokens, span))

    def _back(self, request: _Request) -> None:
        now, outcome = self.events.now, request.outcome
        self.in_flight -= 1
        self.seen.ends.append((now, outcome))
        known = request.tokens if self.tells and outcome == "ok" else None
        if self.valve and request.ticket:
            self.valve.ended(request.ticket, now, outcome, known)
        if outcome == "ok":
            self.seen.tokens += request.tokens
        else:
            again = self.lengths.draw(self.chance, now)
            delay = 0.0 if outcome == "refused" else _RETRY_S * (1 + self.chance.random())
            self.events.at(now + delay, self._requeue, again)
        self._pump()

    def _requeue(self, again: tuple[float, float]) -> None:
        self.again.append(again)
        self._pump()


def play(
    rules: Rules,
    lengths: Lengths | None = None,
    *,
    valve: Valve | None = None,
    level: int = 0,
    seconds: float = 100.0,
    jobs: int | None = None,
    tells: bool = True,
    seed: int = 1,
) -> Outcomes:
    """Run for so long, or until the jobs are done; with `level` in flight where no valve is."""
    client = Client(
        rules, lengths or Lengths(), valve=valve, level=level, jobs=jobs, tells=tells, seed=seed
    )
    events = client.events
    events.run(
        lambda: client.left <= 0 and not client.in_flight and not client.again, longest_s=seconds
    )
    client.seen.seconds = events.now
    return client.seen
