"""Jobs put into chunks, within every limit of their services. Only on the disk, never in memory."""

import os
from collections.abc import Awaitable, Callable
from typing import BinaryIO

from anyio import to_thread
from msgspec.structs import replace

from runner.errors import ProviderError
from runner.lanes.chunk import Chunk, custom_id
from runner.lanes.jobs_file import encode_job
from runner.lanes.store import ChunkStore
from runner.models import Job
from runner.providers.batches.base import BatchService, Limits
from runner.results.durable import cannot_write

Services = Callable[[str, str], Awaitable[BatchService]]
"""Gives the batch service of a provider and model."""
_Group = tuple[str, str]
_LONGEST_ID = "r" * 64
"""The length that every service allows."""


class Builder:
    """Makes chunks. Nothing of them is written down as sent, and nothing is sent."""

    def __init__(
        self,
        store: ChunkStore,
        services: Services,
        *,
        run: str,
        nonce: Callable[[], str],
        worst_case: Callable[[Job], int | None],
        most_rows: int | None = None,
    ) -> None:
        """`nonce` makes up a chunk's name. `most_rows` bounds chunks further than services do."""
        self._store = store
        self._services = services
        self._run = run
        self._nonce = nonce
        self._worst_case = worst_case
        self._most_rows = most_rows
        self._open: dict[_Group, _Writer] = {}
        self._full: list[Chunk] = []

    async def add(self, job: Job) -> ProviderError | None:
        """Take a job in; tell why not where it cannot be a row. Raises WriteError."""
        service = await self._services(job.provider, job.model)
        try:
            body = await body_of(service, job)
        except ProviderError as error:
            return error
        limits = self._limits(service.limits)
        size = len(service.row(_LONGEST_ID, body))
        if size + len(service.frame.begin) + len(service.frame.end) > limits.bytes:
            return _too_large(size, limits)
        group = (job.provider, job.model if service.one_model else "")
        try:
            writer = self._writer(group, job, service, size, limits)
            writer.add(job, service.row(custom_id(writer.nonce, writer.rows), body))
        except OSError as error:
            raise cannot_write(self._store.rows("*"), error) from error
        writer.count(self._worst_case(job))
        return None

    def finish(self) -> list[Chunk]:
        """Close what is open and give all chunks. Raises WriteError."""
        for writer in self._open.values():
            self._close(writer)
        self._open.clear()
        chunks, self._full = self._full, []
        return chunks

    def abandon(self) -> None:
        """Throw everything away."""
        for writer in self._open.values():
            writer.abandon()
        self._open.clear()

    def _limits(self, limits: Limits) -> Limits:
        if self._most_rows is None:
            return limits
        return limits._replace(rows=min(limits.rows, self._most_rows))

    def _writer(
        self, group: _Group, job: Job, service: BatchService, size: int, limits: Limits
    ) -> "_Writer":
        writer = self._open.get(group)
        if writer is not None and not writer.has_room(size, limits):
            self._close(writer)
            writer = None
        if writer is None:
            chunk = Chunk(
                nonce=self._nonce(), run=self._run, provider=job.provider, model=job.model, rows=0
            )
            writer = self._open[group] = _Writer(self._store, chunk, service)
        return writer

    def _close(self, writer: "_Writer") -> None:
        try:
            self._full.append(writer.close())
        except OSError as error:
            raise cannot_write(self._store.rows(writer.nonce), error) from error


class _Writer:
    """The two files of a chunk that is being filled."""

    def __init__(self, store: ChunkStore, chunk: Chunk, service: BatchService) -> None:
        self.nonce = chunk.nonce
        self.rows = 0
        self._chunk = chunk
        self._frame = service.frame
        self._uploads = service.uploads
        self._worst: int | None = 0
        self._sent: BinaryIO = store.rows(chunk.nonce).open("wb")
        self._jobs: BinaryIO = store.jobs(chunk.nonce).open("wb")
        self._size = self._sent.write(self._frame.begin)

    def has_room(self, size: int, limits: Limits) -> bool:
        more = len(self._frame.between) + size + len(self._frame.end)
        return self.rows < limits.rows and self._size + more <= limits.bytes

    def add(self, job: Job, row: bytes) -> None:
        if self.rows:
            self._size += self._sent.write(self._frame.between)
        self._size += self._sent.write(row)
        self._jobs.write(encode_job(job))
        self.rows += 1

    def count(self, worst: int | None) -> None:
        both = self._worst is not None and worst is not None
        self._worst = (self._worst or 0) + (worst or 0) if both else None

    def close(self) -> Chunk:
        self._sent.write(self._frame.end)
        for file in (self._sent, self._jobs):
            with file:
                file.flush()
                os.fsync(file.fileno())
        phase = self._chunk.phase if self._uploads else "uploaded"
        return replace(self._chunk, rows=self.rows, worst=self._worst, phase=phase)

    def abandon(self) -> None:
        self._sent.close()
        self._jobs.close()


async def body_of(service: BatchService, job: Job) -> bytes:
    """Write what is asked; files are read in a thread. Raises ProviderError."""
    if job.request.files:
        return await to_thread.run_sync(service.body, job.model, job.request)
    return service.body(job.model, job.request)


def _too_large(size: int, limits: Limits) -> ProviderError:
    return ProviderError(
        "invalid_request",
        f"this request has {size:,} bytes; a whole batch may have {limits.bytes:,}",
        retryable=False,
        unsent=True,
    )
