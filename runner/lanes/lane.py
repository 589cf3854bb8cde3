"""The batch lane of one run: every chunk is followed from where it stands to its records.

Nothing is ever asked twice: a chunk is on the disk before anything is sent of it, and forgotten
only when every row of it is recorded.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field

from anyio import Event, Semaphore, create_task_group
from anyio.abc import TaskGroup
from msgspec.structs import replace

from runner.clock import Clock
from runner.engine.halts import Halts
from runner.engine.stop import Stop
from runner.errors import ProviderError
from runner.events import Event as RunEvent
from runner.events import ModelHalted
from runner.lanes.asking import Asking, StoppedError
from runner.lanes.building import Builder, Services
from runner.lanes.chunk import Chunk
from runner.lanes.collecting import Collecting
from runner.lanes.jobs_file import jobs_in
from runner.lanes.recording import Recorder
from runner.lanes.refusing import plan_for
from runner.lanes.standing import Board, Trouble
from runner.lanes.store import ChunkStore
from runner.lanes.submitting import Submitting
from runner.lanes.waiting import Waiting
from runner.providers.batches.base import Batch, BatchService

_SENDING_AT_ONCE = 2
_ALREADY_ENDED = frozenset({400, 404, 409})


@dataclass(kw_only=True)
class BatchLane:
    """Follows chunks. `run` may be called once."""

    store: ChunkStore
    services: Services
    recorder: Recorder
    board: Board
    builder: Callable[[int | None], Builder]
    """Makes a builder of chunks of so many rows at most."""
    settled: Callable[[Chunk], None]
    """Told of a chunk of which no row will cost anything."""
    emit: Callable[[RunEvent], None]
    stop: Stop
    clock: Clock
    draw: Callable[[], float]
    written: Callable[[], Awaitable[None]]
    """Waits until every record that was handed on is on the disk."""
    wait: bool = True
    cancel: bool = False
    halts: Halts = field(default_factory=Halts)
    _group: TaskGroup = field(init=False)
    _ended: Event = field(default_factory=Event)
    """Set, and replaced, whenever a chunk is out no more."""
    _collecting: Semaphore = field(default_factory=lambda: Semaphore(1))

    def __post_init__(self) -> None:
        """Wire the parts."""
        self._asking = Asking(stop=self.stop, emit=self.emit, draw=self.draw, halts=self.halts)
        self._waiting = Waiting(
            asking=self._asking, clock=self.clock, seen=self.board.seen, wait=self.wait
        )
        self._submitting = Submitting(
            store=self.store,
            asking=self._asking,
            waiting=self._waiting,
            clock=self.clock,
            others=self._others,
            moved=self.board.moved,
            wait=self.wait,
            sending=Semaphore(_SENDING_AT_ONCE),
        )
        self._collect = Collecting(
            store=self.store,
            asking=self._asking,
            waiting=self._waiting,
            recorder=self.recorder,
            clock=self.clock,
            written=self.written,
        )

    async def run(self, found: Sequence[Chunk], made: Sequence[Chunk]) -> None:
        """Follow the chunks of earlier runs and those of this one to their ends.

        Returns when all are collected, or nothing more can be done now; the board tells what is
        left. Raises WriteError. Cancelled, it leaves batches running and chunks on the disk.
        """
        async with create_task_group() as group:
            self._group = group
            for chunk in found:
                self._begin(chunk, fresh=False)
            for chunk in made:
                self._begin(chunk, fresh=True)

    def _begin(self, chunk: Chunk, *, fresh: bool) -> None:
        self.board.moved(chunk)
        self._group.start_soon(self._follow, chunk, fresh)

    async def _follow(self, chunk: Chunk, fresh: bool) -> None:
        service = await self.services(chunk.provider, chunk.model)
        try:
            await self._see_through(chunk, service, fresh=fresh)
        except StoppedError:
            if fresh and self.board.never_begun(chunk.nonce):
                self._leave(chunk)
        except ProviderError as error:
            await self._give_up(self.board.chunk(chunk.nonce), service, error)
        finally:
            ended, self._ended = self._ended, Event()
            ended.set()

    async def _see_through(self, chunk: Chunk, service: BatchService, *, fresh: bool) -> None:
        batch: Batch | None = None
        while True:
            if self.cancel:
                found = await self._cancelled(chunk, service)
                if found is None:
                    return
                chunk = found
            elif chunk.phase != "out":
                chunk, batch = await self._submitting.bring_out(chunk, service, fresh=fresh)
            batch = await self._waiting.ended(chunk, service, batch, chunk.batch)
            if batch.state != "refused":
                async with self._collecting:
                    self.board.collecting(chunk)
                    await self._collect.collect(chunk, batch, service)
                self.board.gone(chunk)
                return
            again = await self._after_refusal(chunk, batch, service)
            if again is None:
                return
            chunk, batch, fresh = again, None, False

    async def _cancelled(self, chunk: Chunk, service: BatchService) -> Chunk | None:
        """Ask for the end of a batch; None where there was none."""
        if chunk.phase == "creating":
            chunk, _ = await self._submitting.confirm(chunk, service)
        if chunk.phase != "out":
            await self._forget(chunk, service)
            return None
        try:
            await self._asking.repeat(chunk.provider, lambda: service.cancel(chunk.batch or ""))
        except ProviderError as error:
            if error.http_status not in _ALREADY_ENDED:
                raise
        return chunk

    async def _after_refusal(
        self, chunk: Chunk, batch: Batch, service: BatchService
    ) -> Chunk | None:
        """Do what is to be done about a batch that was not accepted; give what is asked again."""
        others = any(one.batch for one in self._rivals(chunk))
        plan = plan_for(chunk, batch, others_out=others)
        if self.cancel:
            await self._forget(chunk, service)
        elif plan.act == "wait":
            chunk = self._step(
                replace(chunk, phase="uploaded", batch=None, tries=chunk.tries + 1, expires_at=None)
            )
            if not self.wait:
                raise StoppedError
            await self._until_one_ends()
            return chunk
        elif plan.act == "halve":
            await self._rebuild(chunk, service, without=set(), most_rows=(chunk.rows + 1) // 2)
        elif plan.act == "leave_out":
            await self._collect.refuse(chunk, batch, plan.rows)
            await self._rebuild(chunk, service, without=set(plan.rows), most_rows=None)
        else:
            if plan.act == "unknown_model" and self.halts.halt_model(chunk.provider, chunk.model):
                self.emit(ModelHalted(chunk.provider, chunk.model, plan.error, chunk.rows))
            else:
                self.board.trouble(Trouble(chunk, plan.error))
            await self._forget(chunk, service)
        return None

    async def _rebuild(
        self, chunk: Chunk, service: BatchService, *, without: set[int], most_rows: int | None
    ) -> None:
        """Make other chunks of a chunk's jobs. Killed in between, the jobs are simply not out."""
        builder = self.builder(most_rows)
        for number, job in enumerate(jobs_in(self.store.jobs(chunk.nonce))):
            if number not in without:
                await builder.add(job)
        made = builder.finish()
        await self._submitting.forget(chunk, service)
        self.board.gone(chunk)
        for one in made:
            self._begin(one, fresh=True)

    async def _until_one_ends(self) -> None:
        ended = self._ended
        while not ended.is_set():
            await self._asking.pause(1.0)

    async def _give_up(self, chunk: Chunk, service: BatchService, error: ProviderError) -> None:
        """Say what is wrong; a chunk of which there is no batch is forgotten."""
        self.board.trouble(Trouble(chunk, error))
        if chunk.phase in ("uploading", "uploaded"):
            await self._forget(chunk, service)

    async def _forget(self, chunk: Chunk, service: BatchService) -> None:
        await self._submitting.forget(chunk, service)
        self._settle(chunk)

    def _leave(self, chunk: Chunk) -> None:
        self.store.drop(chunk)
        self._settle(chunk)

    def _settle(self, chunk: Chunk) -> None:
        self.board.gone(chunk)
        self.settled(chunk)

    def _step(self, chunk: Chunk) -> Chunk:
        self.board.moved(self.store.save(chunk))
        return chunk

    def _rivals(self, chunk: Chunk) -> Sequence[Chunk]:
        return [
            one
            for one in self.board.chunks
            if one.nonce != chunk.nonce
            and (one.provider, one.model) == (chunk.provider, chunk.model)
        ]

    def _others(self, chunk: Chunk) -> Collection[str]:
        return {one.batch for one in self.board.chunks if one.batch and one.nonce != chunk.nonce}
