"""Jobs in, results out: a feeder, a dispatcher, and a task for each request that is out.

A whole run on one machine is one shard. Nothing here may assume that it is alone, and nothing
here knows files, signals or the terminal.
"""

import math
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from anyio import Event, create_task_group, current_time, move_on_after
from anyio.abc import TaskGroup

from runner.engine.hold import RETRY_S
from runner.engine.need import need_of
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


def no_attempts(_: Job) -> list[AttemptRecord]:
    """Say that nothing was tried before."""
    return []


def uncounted(_: Job) -> int:
    """Count no money."""
    return 0


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
    waiting: Waiting = field(default_factory=Waiting)
    _fed: bool = False
    _halts: int = 0
    _changed: Event = field(default_factory=Event)

    async def run(self, jobs: AsyncGenerator[Job | LineProblem, None]) -> None:
        """Work until the jobs end or the run is stopped; then the results stream is closed.

        Raises what `jobs` raised, after the answers on their way have been recorded.
        """
        raised: list[Exception] = []
        with self.service.results, self.service.stop.working:
            try:
                async with create_task_group() as group:
                    group.start_soon(self._feed, jobs, raised)
                    group.start_soon(self._hear_drain)
                    await self._dispatch(group)
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
                    await self._room()
                    async for job in jobs:
                        if isinstance(job, LineProblem):
                            await self.service.refuse(job)
                            continue
                        await self.window.enter(sequence)
                        self._queue(job, sequence)
                        sequence += 1
                        await self._room()
            except Exception as error:  # noqa: BLE001 - raised again when the answers are in
                raised.append(error)
        self._fed = True
        self._changed.set()

    async def _room(self) -> None:
        while self.pace.in_flight + len(self.waiting) >= 2 * self.pace.ceiling:
            await self._change(math.inf)

    def _queue(self, job: Job, sequence: int) -> None:
        turn = Turn(
            job=job,
            sequence=sequence,
            lane=self.pace.lane(job.provider, job.model),
            need=need_of(job),
            worst=self.worst_case(job),
            attempts=self.earlier(job),
        )
        self.service.attempts.emit(JobQueued(job))
        if self.service.is_halted(job):
            self.service.leave(turn)
            self.window.leave(sequence)
            return
        self.waiting.add(turn)
        self._changed.set()

    async def _dispatch(self, group: TaskGroup) -> None:
        while True:
            if self.service.stop.draining:
                await self._leave_all()
            else:
                await self._leave_halted()
            wait = self._start_what_may(group)
            if self._fed and not self.waiting and not self.pace.in_flight:
                return
            await self._change(wait)

    async def _change(self, seconds: float) -> None:
        """Wait so long, or until something is queued, ends or is stopped."""
        with move_on_after(seconds):
            await self._changed.wait()
        if self._changed.is_set():
            self._changed = Event()

    async def _hear_drain(self) -> None:
        await self.service.stop.drained()
        self._changed.set()

    def _start_what_may(self, group: TaskGroup) -> float:
        """Start what may start now; give the seconds after which more may."""
        if self.service.stop.draining:
            return math.inf
        if self.service.hold.shut:
            return RETRY_S
        now = current_time()
        self.waiting.ripen(now)
        waits = [self._start_lane(lane, now, group) for lane in self.waiting.lanes()]
        if (dear := self._unaffordable()) is not None:
            self.service.attempts.emit(BudgetSpent(usd(dear)))
            self.service.stop.drain("budget")
            return 0.0
        return min([self.waiting.next_at - now, *waits])

    def _start_lane(self, lane: Lane, now: float, group: TaskGroup) -> float:
        while (turn := self.waiting.first(lane)) is not None:
            wait = self.pace.wait(lane, turn.need, now, turn.worst)
            if wait > 0:
                return wait
            self._begin(self.waiting.take(lane), now, group)
        return math.inf

    def _unaffordable(self) -> int | None:
        """Give what the next request can cost where the money left pays for none that waits."""
        heads = [self.waiting.first(lane) for lane in self.waiting.lanes()]
        worst = [turn.worst for turn in heads if turn is not None]
        if self.pace.in_flight or not worst or not self.pace.out_of_money(min(worst)):
            return None
        return worst[0]

    def _begin(self, turn: Turn, now: float, group: TaskGroup) -> None:
        if turn.refused_at is not None:
            turn.gated_s += now - turn.refused_at
            turn.refused_at = None
        turn.grant = self.pace.start(turn.lane, turn.need, now, turn.worst)
        turn.sent = len(turn.attempts)
        group.start_soon(self._carry, turn)

    async def _carry(self, turn: Turn) -> None:
        try:
            delay = await self.service.serve(turn)
        finally:
            # Only now: an answer that waits for the writer keeps its place among those in flight.
            turn.grant.close(current_time(), turn.cost())
            self._changed.set()
        if delay is None:
            self.window.leave(turn.sequence)
        else:
            now = current_time()
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
