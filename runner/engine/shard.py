"""Jobs in, results out: a feeder, a dispatcher, and a carrier for each request that is out.

A whole run on one machine is one shard. Nothing here may assume that it is alone, and nothing
here knows files, signals or the terminal.
"""

import math
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from anyio import Event, create_task_group, move_on_after

from runner.clock import loop_time
from runner.engine.carriers import Carriers
from runner.engine.hold import RETRY_S
from runner.engine.need import need_of, spoken_of
from runner.engine.primed import Primed
from runner.engine.priming import Priming
from runner.engine.service import Service
from runner.engine.turn import Turn
from runner.engine.waiting import Waiting
from runner.engine.window import Window
from runner.errors import LineProblem
from runner.events import BudgetSpent, JobQueued
from runner.models import AttemptRecord, Job
from runner.pace.lane import Lane
from runner.pace.pace import Pace
from runner.pricing.rates import usd

_READ_AT_ONCE = 32
"""Jobs the feeder takes in before answers have their turn again."""


def no_attempts(_: Job) -> list[AttemptRecord]:
    """Say that nothing was tried before."""
    return []


def uncounted(_: Job) -> int:
    """Count no money."""
    return 0


def freely() -> bool:
    """Hold nothing back."""
    return True


@dataclass(kw_only=True)
class Shard:
    """One engine around one `Service`. `run` may be called once.

    No more jobs are in memory than twice what may be in flight just now.
    """

    service: Service
    pace: Pace
    window: Window = field(default_factory=lambda: Window(None))
    earlier: Callable[[Job], list[AttemptRecord]] = no_attempts
    """The attempts that a job's record already holds."""
    worst_case: Callable[[Job], int] = uncounted
    """The most that one request for a job can cost, in picodollars."""
    may_start: Callable[[], bool] = freely
    """False holds new requests back for the moment before a stop is told of."""
    priming: Priming | None = None
    """Which beginning of a prompt is sent alone first; None lets nobody wait for another."""
    waiting: Waiting = field(default_factory=Waiting)
    _primed: Primed | None = field(default=None, init=False)
    _carriers: Carriers = field(init=False)
    _fed: bool = False
    _halts: int = 0
    _changed: Event = field(default_factory=Event)
    """Set where the dispatcher has something to do before the time at which it looks again."""
    _looks_at: float = -math.inf
    _room: Event = field(default_factory=Event)
    """Set where the feeder may go on."""

    def __post_init__(self) -> None:
        """Let the turns that wait for another's answer go on as soon as it comes."""
        if self.priming is not None:
            self._primed = Primed(self.priming, self.waiting, self._go_on)

    async def run(self, jobs: AsyncGenerator[Job | LineProblem, None]) -> None:
        """Work until the jobs end or the run is stopped; then the results stream is closed.

        Raises what `jobs` raised, after the answers on their way have been recorded.
        """
        raised: list[Exception] = []
        with self.service.results, self.service.stop.working:
            try:
                async with create_task_group() as group:
                    self._carriers = Carriers(group, self._carry, self._go_on)
                    group.start_soon(self._feed, jobs, raised)
                    group.start_soon(self._hear_drain)
                    await self._dispatch()
                    group.cancel_scope.cancel()
            finally:
                await self._leave_all()
        if raised:
            raise raised[0]

    async def _feed(
        self, jobs: AsyncGenerator[Job | LineProblem, None], raised: list[Exception]
    ) -> None:
        sequence = 0
        with self.service.stop.feeding:
            try:
                async with aclosing(jobs):
                    await self._wait_for_room()
                    async for job in jobs:
                        if isinstance(job, LineProblem):
                            await self.service.refuse(job)
                            continue
                        await self.window.enter(sequence)
                        self._queue(job, sequence)
                        sequence += 1
                        await self._wait_for_room()
            except Exception as error:  # noqa: BLE001 - raised again when the answers are in
                raised.append(error)
        self._fed = True
        self._changed.set()

    async def _wait_for_room(self) -> None:
        while self._held() >= 2 * self.pace.ceiling:
            self._room = Event()
            await self._room.wait()

    def _held(self) -> int:
        return self.pace.in_flight + len(self.waiting)

    def _queue(self, job: Job, sequence: int) -> None:
        spoken = spoken_of(job)
        turn = Turn(
            job=job,
            sequence=sequence,
            lane=self.pace.lane(job.provider, job.model),
            need=need_of(job, spoken),
            worst=self.worst_case(job),
            flex=self.service.asks_flex(job),
            attempts=self.earlier(job),
        )
        if self._primed is not None:
            self._primed.look_at(turn, spoken)
        self.service.attempts.emit(JobQueued(job))
        if self.service.is_halted(job):
            self.service.leave(turn)
            self.window.leave(sequence)
            return
        first = self.waiting.first(turn.lane) is None
        self.waiting.add(turn)
        if first:
            self._go_on()

    async def _dispatch(self) -> None:
        while True:
            if self.service.stop.draining:
                await self._leave_all()
            else:
                await self._leave_halted()
            self._looks_at = self._start_what_may()
            if self._fed and not self._held():
                return
            self._tell_feeder()
            with move_on_after(self._looks_at - loop_time()):
                await self._changed.wait()
            if self._changed.is_set():
                self._changed = Event()

    def _go_on(self) -> None:
        """Start what may start now that something has changed, and see who has to know."""
        if self.service.stop.draining or self._halts != self.service.halts.count:
            self._changed.set()
            return
        if self._start_what_may() < self._looks_at or (self._fed and not self._held()):
            self._changed.set()
        self._tell_feeder()

    def _tell_feeder(self) -> None:
        # Not for each job that ends: the feeder reads a few at a time, but not so many that
        # answers wait for it.
        ceiling = self.pace.ceiling
        few = min(ceiling // 2, _READ_AT_ONCE)
        if not self._room.is_set() and self._held() + few <= 2 * ceiling:
            self._room.set()

    async def _hear_drain(self) -> None:
        await self.service.stop.drained()
        self._changed.set()

    def _start_what_may(self) -> float:
        """Start what may start now; give the moment at which more may."""
        if self.service.stop.draining or not self.may_start():
            return math.inf
        now = loop_time()
        if self.service.hold.shut:
            return now + RETRY_S
        self.waiting.ripen(now)
        wait = math.inf
        if self._primed is not None:
            wait = self._primed.let_go_overdue(now) - now
        for lane in self.waiting.lanes():
            wait = min(wait, self._start_lane(lane, now))
        if (dear := self._unaffordable()) is not None:
            self.service.attempts.emit(BudgetSpent(usd(dear)))
            self.service.stop.drain("budget")
            return now
        return min(self.waiting.next_at, now + wait)

    def _start_lane(self, lane: Lane, now: float) -> float:
        while (turn := self.waiting.first(lane)) is not None:
            wait = self.pace.wait(lane, turn.need, now, turn.worst)
            if wait > 0:
                return wait
            turn = self.waiting.take(lane)
            if self._primed is None or not self._primed.holds(turn, now):
                self._begin(turn, now)
        return math.inf

    def _unaffordable(self) -> int | None:
        """Give what the next request can cost where the money left pays for none that waits."""
        if self.pace.budget is None or self.pace.in_flight:
            return None
        heads = [self.waiting.first(lane) for lane in self.waiting.lanes()]
        worst = [turn.worst for turn in heads if turn is not None]
        if not worst or not self.pace.out_of_money(min(worst)):
            return None
        return worst[0]

    def _begin(self, turn: Turn, now: float) -> None:
        if turn.refused_at is not None:
            turn.gated_s += now - turn.refused_at
            turn.refused_at = None
        turn.grant = self.pace.start(turn.lane, turn.need, now, turn.worst)
        turn.sent = len(turn.attempts)
        self._carriers.take(turn)

    async def _carry(self, turn: Turn) -> None:
        try:
            delay = await self.service.serve(turn)
        finally:
            # Only now: an answer that waits for the writer keeps its place among those in flight.
            turn.grant.close(loop_time(), turn.cost())
            if self._primed is not None:
                self._primed.ended(turn)
        if delay is None:
            self.window.leave(turn.sequence)
        else:
            now = loop_time()
            self.waiting.put_back(turn, now + delay, now)

    async def _leave(self, turn: Turn) -> None:
        await self.service.part(turn)
        self.window.leave(turn.sequence)

    async def _leave_halted(self) -> None:
        if self._halts == self.service.halts.count:
            return
        self._halts = self.service.halts.count
        for turn in self.waiting.take_where(lambda turn: self.service.is_halted(turn.job)):
            await self._leave(turn)

    async def _leave_all(self) -> None:
        for turn in self.waiting.drain():
            await self._leave(turn)
