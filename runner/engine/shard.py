"""Jobs in, results out: one feeder and many workers around a queue without a buffer.

A whole run on one machine is one shard. Nothing here may assume that it is alone, and nothing
here knows files, signals or the terminal.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from anyio import create_memory_object_stream, create_task_group, get_cancelled_exc_class, sleep
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from runner.engine.service import Service
from runner.engine.turn import Turn
from runner.engine.window import Window
from runner.errors import LineProblem
from runner.events import JobQueued
from runner.models import AttemptRecord, Job

RAMP_WORKERS = 100
RAMP_PAUSE_S = 0.02
"""Measured: thousands of workers started at once make connections time out before their turn."""


def no_attempts(_: Job) -> list[AttemptRecord]:
    """Say that nothing was tried before."""
    return []


@dataclass(kw_only=True)
class Shard:
    """One engine around one `Service`. `run` may be called once."""

    service: Service
    concurrency: int
    window: Window = field(default_factory=lambda: Window(None))
    earlier: Callable[[Job], list[AttemptRecord]] = no_attempts
    """The attempts that a job's record already holds."""
    waiting: int = 0
    """Jobs waiting for their next attempt without holding a worker."""

    async def run(self, jobs: AsyncGenerator[Job | LineProblem, None]) -> None:
        """Work until the jobs end or the run is stopped; then the results stream is closed.

        Raises what `jobs` raised, after the answers on their way have been recorded.
        """
        send, receive = create_memory_object_stream[Turn](0)
        raised: list[Exception] = []
        with self.service.results, self.service.stop.working:
            async with create_task_group() as group:
                group.start_soon(self._feed, jobs, send, raised)
                with receive:
                    for number in range(self.concurrency):
                        if number and number % RAMP_WORKERS == 0:
                            await sleep(RAMP_PAUSE_S)
                        group.start_soon(self._work, receive.clone(), group)
        if raised:
            raise raised[0]

    async def _feed(
        self,
        jobs: AsyncGenerator[Job | LineProblem, None],
        send: MemoryObjectSendStream[Turn],
        raised: list[Exception],
    ) -> None:
        sequence = 0
        with send, self.service.stop.feeding:
            try:
                async with aclosing(jobs):
                    async for job in jobs:
                        if isinstance(job, LineProblem):
                            await self.service.refuse(job)
                            continue
                        await self.window.enter(sequence)
                        await self._queue(job, sequence, send)
                        sequence += 1
            except Exception as error:  # noqa: BLE001 - raised again when the answers are in
                raised.append(error)

    async def _queue(self, job: Job, sequence: int, send: MemoryObjectSendStream[Turn]) -> None:
        requeue = send.clone()
        turn = Turn(job=job, sequence=sequence, requeue=requeue, attempts=self.earlier(job))
        self.service.attempts.emit(JobQueued(job))
        await self._send(turn)

    async def _send(self, turn: Turn) -> None:
        turn.taken = False
        try:
            await turn.requeue.send(turn)
        except get_cancelled_exc_class():
            # Cancelled in the very step in which a worker took it: then it is the worker's.
            if not turn.taken:
                self._leave(turn)
            raise

    async def _work(self, receive: MemoryObjectReceiveStream[Turn], group: TaskGroup) -> None:
        with receive:
            async for turn in receive:
                turn.taken = True
                await self._carry(turn, group)
                del turn  # else an idle worker would keep its last job in memory

    async def _carry(self, turn: Turn, group: TaskGroup) -> None:
        delay = await self.service.serve(turn)
        while delay is not None:
            if self.waiting < self.concurrency - 1:
                self.waiting += 1
                group.start_soon(self._wait, turn, delay)
                return
            # So many wait already that this worker has to: with the one that the feeder holds, no
            # more than twice the concurrency are in memory.
            if not await self._pause(turn, delay):
                return
            delay = await self.service.serve(turn)
        self.window.leave(turn.sequence)

    async def _wait(self, turn: Turn, delay: float) -> None:
        try:
            if await self._pause(turn, delay):
                await self._send(turn)
        finally:
            self.waiting -= 1

    async def _pause(self, turn: Turn, delay: float) -> bool:
        try:
            go_on = await self.service.stop.pause(delay)
        except get_cancelled_exc_class():
            self._leave(turn)
            raise
        if not go_on:
            self._leave(turn)
        return go_on

    def _leave(self, turn: Turn) -> None:
        self.service.leave(turn)
        self.window.leave(turn.sequence)
