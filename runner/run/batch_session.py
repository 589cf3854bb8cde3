"""The batch lane of one run, wired to the writer of its results and run once in the event loop."""

import os
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from anyio import to_thread
from anyio.streams.memory import MemoryObjectSendStream

from runner.clock import Clock, rfc3339
from runner.engine.hold import Hold
from runner.engine.outcome import refused
from runner.engine.stop import Stop
from runner.errors import LineProblem, ProviderError
from runner.events import BudgetSpent, Event, JobFinished
from runner.lanes.building import Builder, body_of
from runner.lanes.chunk import Chunk
from runner.lanes.handing import Handing
from runner.lanes.lane import BatchLane
from runner.lanes.recording import Recorder
from runner.lanes.standing import Board
from runner.lanes.store import ChunkStore
from runner.models import AttemptRecord, Job, Result
from runner.pricing.rates import picodollars, usd
from runner.providers.batches.opening import BatchServices
from runner.results.output import Output
from runner.results.paths import ResultPaths
from runner.results.read import record_of_batch
from runner.results.writer import OnWritten, Place
from runner.run.preparing import Prepared
from runner.run.writing import seen_written
from runner.schemas.judge import Judge
from runner.view.texts_batches import Lane

LANE = "batch"
RESULTS_AHEAD = 256


@dataclass(kw_only=True)
class BatchSession:
    """All that the lane needs, ready to be run once."""

    prepared: Prepared
    paths: ResultPaths
    services: BatchServices
    output: Output
    emit: Callable[[Event], None]
    tell: Callable[[Lane], None]
    """Told what goes out, before it does."""
    stop: Stop
    hold: Hold
    clock: Clock
    draw: Callable[[], float]
    on_written: OnWritten
    earlier: Callable[[Job], list[AttemptRecord]]
    board: Board = field(default_factory=Board)
    over_budget: bool = False
    """The money left did not pay for every job."""
    _store: ChunkStore = field(init=False)
    _handing: Handing = field(init=False)

    def __post_init__(self) -> None:
        """Find what is on the disk."""
        self._store = ChunkStore(self.paths.batches)

    async def attempt(self, jobs: AsyncGenerator[Job | LineProblem, None]) -> Exception | None:
        """Run, and give a failure back so that there is time to tidy up before it is raised."""
        try:
            await self._run(jobs)
        except Exception as error:  # noqa: BLE001 - the caller raises it
            return error
        finally:
            self._store.close()
        return None

    async def _run(self, jobs: AsyncGenerator[Job | LineProblem, None]) -> None:
        self._store.prepare()
        await seen_written(
            lambda send: self._work(send, jobs),
            output=self.output,
            on_written=self._on_written,
            hold=self.hold,
            stop=self.stop,
            ahead=RESULTS_AHEAD,
        )

    def _on_written(self, result: Result, place: Place | None) -> None:
        self.on_written(result, place)
        self._handing.note()

    async def _work(
        self,
        send: MemoryObjectSendStream[Result],
        jobs: AsyncGenerator[Job | LineProblem, None],
    ) -> None:
        self._handing = Handing(send)
        settings, found = self.prepared.settings, self.prepared.plan.out.chunks
        with self.stop.working:
            made: list[Chunk] = []
            async with aclosing(jobs):
                if not settings.cancel:
                    made = await self._build(jobs)
            self.prepared.tally.money.also |= {chunk.run for chunk in found}
            self.tell(await self._lane_of(found, made))
            await self._lane().run(found, made)

    async def _build(self, jobs: AsyncGenerator[Job | LineProblem, None]) -> list[Chunk]:
        builder = self._builder(None)
        with self.stop.feeding:
            async for item in jobs:
                if isinstance(item, LineProblem):
                    await self._record(refused(item, self.clock))
                elif not self._affords(item):
                    break
                elif (error := await builder.add(item)) is not None:
                    self._settle(item, 0.0)
                    await self._record(self._unsendable(item, error))
            return await to_thread.run_sync(builder.finish)
        builder.abandon()
        return []

    def _builder(self, most_rows: int | None) -> Builder:
        book = self.prepared.book

        def worst_case(job: Job) -> int | None:
            worst = book.worst_case(job, LANE)
            return worst if isinstance(worst, int) else None

        return Builder(
            self._store,
            self.services.get,
            run=self.prepared.run_id,
            nonce=lambda: secrets.token_hex(6),
            worst_case=worst_case,
            most_rows=most_rows,
        )

    def _affords(self, job: Job) -> bool:
        budget = self.prepared.budget
        if budget is None:
            return True
        worst = self.prepared.worst_case(job)
        if not budget.admit(worst):
            self.over_budget = True
            self.emit(BudgetSpent(usd(worst)))
            return False
        budget.hold(worst)
        return True

    def _settle(self, job: Job, cost_usd: float | None) -> None:
        if self.prepared.budget is not None:
            cost = None if cost_usd is None else picodollars(cost_usd)
            self.prepared.budget.let_go(self.prepared.worst_case(job), cost)

    def _settled(self, chunk: Chunk) -> None:
        if self.prepared.budget is not None:
            self.prepared.budget.let_go(chunk.worst or 0, 0)

    async def _lane_of(self, found: tuple[Chunk, ...], made: list[Chunk]) -> Lane:
        worst = [chunk.worst for chunk in made]
        keeps = {}
        for chunk in made:
            keeps[chunk.provider] = (await self.services.get(chunk.provider, chunk.model)).keeps
        return Lane(
            jobs=sum(chunk.rows for chunk in made),
            batches=len(made),
            out_jobs=sum(chunk.rows for chunk in found),
            out_batches=len(found),
            at_most_usd=None if None in worst else usd(sum(one or 0 for one in worst)),
            uncapped=self.prepared.plan.uncapped if made else 0,
            keeps=list(keeps.items()),
            cancel=self.prepared.settings.cancel,
        )

    def _lane(self) -> BatchLane:
        settings = self.prepared.settings
        return BatchLane(
            store=self._store,
            services=self.services.get,
            recorder=self._recorder(),
            board=self.board,
            builder=self._builder,
            settled=self._settled,
            emit=self.emit,
            stop=self.stop,
            clock=self.clock,
            draw=self.draw,
            written=self._synced,
            wait=settings.wait,
            cancel=settings.cancel,
        )

    def _recorder(self) -> Recorder:
        settings, book, plan = self.prepared.settings, self.prepared.book, self.prepared.plan

        def recorded(job: Job, batch: str) -> Result | None:
            return record_of_batch(self.paths.results, plan.table, job.id, batch)

        return Recorder(
            price=book.cost_usd,
            worst_case=lambda job: book.worst_case_usd(job, LANE),
            earlier=self.earlier,
            recorded=recorded,
            line=lambda job: plan.out.line(job.id) if plan.out.holds(job.id) else job.line,
            counts=lambda job: plan.out.is_awaited(job.id) or not plan.out.holds(job.id),
            write=self._handing.give,
            emit=self.emit,
            settle=self._settle,
            passed=self.prepared.tally.written,
            response=not settings.no_response,
            body=self._body if settings.keep_request else None,
            judge=Judge(settings.ask.schema),
        )

    async def _body(self, job: Job) -> bytes:
        try:
            return await body_of(await self.services.get(job.provider, job.model), job)
        except ProviderError:  # a file that was sent is gone
            return b"null"

    async def _record(self, result: Result) -> None:
        self.emit(JobFinished(result))
        await self._handing.give(result)

    def _unsendable(self, job: Job, error: ProviderError) -> Result:
        now = rfc3339(self.clock.now())
        attempts = self.earlier(job)
        return Result(
            id=job.id,
            digest=job.digest,
            line=job.line,
            status="failed",
            provider=job.provider,
            model=job.model,
            lane=LANE,
            cost_usd=None if attempts else 0.0,
            error=error.record(),
            attempts=attempts,
            started_at=now,
            finished_at=now,
            duration_s=0.0,
            metadata=job.metadata,
        )

    async def _synced(self) -> None:
        await self._handing.all_there()
        await to_thread.run_sync(_sync, self.paths)


def _sync(paths: ResultPaths) -> None:
    """Have the disk take all that was written: chunks are forgotten next."""
    fd = os.open(paths.results, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
