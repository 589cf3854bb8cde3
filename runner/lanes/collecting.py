"""The results of a batch that has ended: downloaded whole, then recorded row by row."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from runner.clock import Clock
from runner.errors import ProviderError
from runner.lanes import patience
from runner.lanes.asking import Asking
from runner.lanes.chunk import Chunk, custom_id, row_of
from runner.lanes.jobs_file import JobsFile
from runner.lanes.recording import Recorder, Times, times_of
from runner.lanes.store import ChunkStore
from runner.lanes.waiting import Waiting
from runner.providers.batches.base import Batch, BatchService, Row

DOWNLOADS = 4
"""Tries for results that lack rows: a download may be cut off without a word."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Collecting:
    """Collects batches."""

    store: ChunkStore
    asking: Asking
    waiting: Waiting
    recorder: Recorder
    clock: Clock
    written: Callable[[], Awaitable[None]]
    """Waits until every record that was handed on is on the disk."""

    async def collect(self, chunk: Chunk, batch: Batch, service: BatchService) -> None:
        """Record every row, then forget the chunk.

        Raises ProviderError where results cannot be had, StoppedError where the run was stopped
        while it waited for them, and WriteError.
        """
        jobs = await to_thread.run_sync(JobsFile, self.store.jobs(chunk.nonce))
        try:
            await self._fetch(chunk, batch, service)
            times = times_of(chunk, batch, self.clock.now())
            path = self.store.results(chunk.nonce)
            seen = bytearray(chunk.rows)
            for number, row in _rows(path, chunk, service):
                if not seen[number]:
                    seen[number] = 1
                    await self.recorder.record(chunk, times, jobs.get(number), row)
            await self._record_missing(chunk, times, jobs, seen)
        finally:
            jobs.close()
        await self.written()
        self.store.drop(chunk)

    async def refuse(self, chunk: Chunk, batch: Batch, failed: dict[int, ProviderError]) -> None:
        """Record the rows for whose sake a batch was refused."""
        jobs = await to_thread.run_sync(JobsFile, self.store.jobs(chunk.nonce))
        try:
            times = times_of(chunk, batch, self.clock.now())
            for number, error in failed.items():
                row = Row(custom_id=custom_id(chunk.nonce, number), error=error, free=True)
                await self.recorder.record(chunk, times, jobs.get(number), row)
        finally:
            jobs.close()
        await self.written()

    async def _fetch(self, chunk: Chunk, batch: Batch, service: BatchService) -> None:
        path = self.store.results(chunk.nonce)
        for attempt in range(1, DOWNLOADS + 1):
            if attempt > 1:
                await self.asking.pause(patience.back_off(attempt, None, self.asking.draw()))
                batch = await self.waiting.ended(chunk, service, None, chunk.batch)
            await self.asking.repeat(
                chunk.provider,
                lambda now=batch: service.fetch(now, path),  # type: ignore[misc]
            )
            found = await to_thread.run_sync(_count, path, chunk, service)
            if found >= chunk.rows:
                return

    async def _record_missing(
        self, chunk: Chunk, times: Times, jobs: JobsFile, seen: bytearray
    ) -> None:
        for number, there in enumerate(seen):
            if not there:
                error = ProviderError(
                    "bad_response",
                    "the batch ended, and its results hold nothing of this request",
                    retryable=True,
                )
                row = Row(custom_id=custom_id(chunk.nonce, number), error=error)
                await self.recorder.record(chunk, times, jobs.get(number), row)


def _rows(path: Path, chunk: Chunk, service: BatchService) -> Iterator[tuple[int, Row]]:
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            row = service.read(line) if line.strip() else None
            number = None if row is None else row_of(chunk.nonce, row.custom_id, chunk.rows)
            if row is not None and number is not None:
                yield number, row


def _count(path: Path, chunk: Chunk, service: BatchService) -> int:
    """Count the rows of which there is something."""
    seen = bytearray(chunk.rows)
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                name = service.named(line)
                number = None if name is None else row_of(chunk.nonce, name, chunk.rows)
                if number is not None:
                    seen[number] = 1
    return sum(seen)
