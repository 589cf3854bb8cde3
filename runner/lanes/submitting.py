"""From a chunk on the disk to a batch that is out, each step written down before it is taken.

| killed | the next run |
|---|---|
| before the rows are up | looks for them by their name, and else sends them again |
| before the batch is asked for | asks for it |
| before its id is written down | looks for it, and asks again only when none can come any more |
| later | waits for it |
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from anyio import Semaphore
from msgspec.structs import replace

from runner.clock import Clock, rfc3339
from runner.errors import ProviderError
from runner.lanes import patience
from runner.lanes.asking import Asking
from runner.lanes.chunk import Chunk, is_of
from runner.lanes.finding import find
from runner.lanes.store import ChunkStore
from runner.lanes.waiting import Waiting
from runner.providers.batches.base import Batch, BatchService

_MAY_HAVE_WORKED = frozenset({408, 409, 425, 499})


@dataclass(kw_only=True, slots=True)
class Submitting:
    """Brings chunks out."""

    store: ChunkStore
    asking: Asking
    waiting: Waiting
    clock: Clock
    others: Callable[[Chunk], Collection[str]]
    """Names the batches of other chunks."""
    moved: Callable[[Chunk], None]
    """Told of each step that a chunk has taken."""
    wait: bool
    sending: Semaphore
    """Bounds how many chunks are sent at once; nobody who waits for a provider holds it."""

    async def bring_out(
        self, chunk: Chunk, service: BatchService, *, fresh: bool
    ) -> tuple[Chunk, Batch]:
        """Upload and create what is not yet, and give the batch. `fresh`: nothing was begun.

        Raises ProviderError where it was refused for good: then no batch was created, and the
        chunk says so. Raises StoppedError where the run was stopped first, WriteError where a step
        could not be written down, and was not taken.
        """
        if chunk.phase == "uploading":
            chunk = await self._upload(chunk, service, fresh=fresh)
        if chunk.phase == "creating":
            chunk, batch = await self.confirm(chunk, service)
            if batch is not None:
                return chunk, batch
        chunk, batch = await self._create(chunk, service)
        return self._out(chunk, batch), batch

    async def confirm(self, chunk: Chunk, service: BatchService) -> tuple[Chunk, Batch | None]:
        """Find the batch of a chunk whose creation was asked for; None where there is none.

        Raises ProviderError where nobody can say, and StoppedError.
        """
        chunk, batch = await self._search(chunk, service)
        return (chunk, None) if batch is None else (self._out(chunk, batch), batch)

    def _out(self, chunk: Chunk, batch: Batch) -> Chunk:
        return self._step(
            replace(chunk, phase="out", batch=batch.id, expires_at=batch.expires_at, strangers=())
        )

    async def _upload(self, chunk: Chunk, service: BatchService, *, fresh: bool) -> Chunk:
        certain, path = fresh, self.store.rows(chunk.nonce)

        async def send() -> str:
            nonlocal certain
            async with self.sending:
                self.asking.check(chunk.provider, chunk.model)
                self._step(chunk)
                found = None if certain else await service.uploaded(chunk.upload_name)
                certain = False
                return found or await service.upload(path, chunk.upload_name)

        upload = await self.asking.repeat(chunk.provider, send)
        return self._step(replace(chunk, phase="uploaded", upload=upload))

    async def _create(self, chunk: Chunk, service: BatchService) -> tuple[Chunk, Batch]:
        failures = 0
        while True:
            batch = None
            try:
                async with self.sending:
                    self.asking.check(chunk.provider, chunk.model)
                    chunk = self._asked(chunk)
                    path = self.store.rows(chunk.nonce)
                    return chunk, await service.create(path, chunk.upload, chunk.tag)
            except ProviderError as error:
                if _came_to_nothing(error):
                    chunk = self._step(replace(chunk, phase="uploaded"))
                    self.asking.heed(chunk.provider, error)
                    failures += 1
                    if not error.retryable or failures >= patience.CALL_TRIES:
                        raise
                else:
                    chunk, batch = await self._search(chunk, service)
                    failures += batch is None
                    if batch is None and failures >= patience.CALL_TRIES:
                        chunk = self._step(replace(chunk, phase="uploaded"))
                        raise
                asked_s = error.retry_after_s
            if batch is not None:
                return chunk, batch
            await self.asking.pause(patience.back_off(failures, asked_s, self.asking.draw()))

    async def _search(self, chunk: Chunk, service: BatchService) -> tuple[Chunk, Batch | None]:
        """Find out whether the batch that was asked for exists; None where it does not."""
        while True:
            found = await find(
                chunk,
                service,
                self.asking,
                others=partial(self.others, chunk),
                now=self._now,
                wait=self.wait,
            )
            if found is None or found.tag == chunk.tag:
                return chunk, found
            found = await self.waiting.ended(chunk, service, found)
            if is_of(chunk.nonce, await self._first_id(chunk, service, found)):
                return chunk, found
            chunk = self._step(replace(chunk, strangers=(*chunk.strangers, found.id)))

    async def _first_id(self, chunk: Chunk, service: BatchService, batch: Batch) -> str | None:
        return await self.asking.repeat(chunk.provider, lambda: service.first_id(batch))

    async def forget(self, chunk: Chunk, service: BatchService) -> None:
        """Give up a chunk of which no batch was created. Raises WriteError."""
        self.store.drop(chunk)
        if chunk.upload is not None:
            # It would go by itself in 30 days.
            with suppress(ProviderError):
                await service.forget(chunk.upload)

    def _asked(self, chunk: Chunk) -> Chunk:
        now = self.clock.now()
        return self._step(
            replace(chunk, phase="creating", asked_at=now.timestamp(), submitted_at=rfc3339(now))
        )

    def _now(self) -> float:
        return self.clock.now().timestamp()

    def _step(self, chunk: Chunk) -> Chunk:
        self.moved(self.store.save(chunk))
        return chunk


def _came_to_nothing(error: ProviderError) -> bool:
    """Whether a creation that failed certainly made no batch."""
    status = error.http_status
    refused = status is not None and 400 <= status < 500 and status not in _MAY_HAVE_WORKED
    return error.unsent or refused
