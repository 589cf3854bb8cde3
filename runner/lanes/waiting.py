"""Looking at a batch until it has ended."""

from collections.abc import Callable
from dataclasses import dataclass

from runner.clock import Clock
from runner.errors import ProviderError
from runner.lanes import patience
from runner.lanes.asking import Asking, StoppedError
from runner.lanes.chunk import Chunk
from runner.providers.batches.base import Batch, BatchService


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """Waits for batches."""

    asking: Asking
    clock: Clock
    seen: Callable[[Chunk, Batch], None]
    """Told of each look."""
    wait: bool
    """False looks once."""

    async def ended(
        self, chunk: Chunk, service: BatchService, batch: Batch | None, batch_id: str | None = None
    ) -> Batch:
        """Wait for the end of a batch, as it was seen last or by its id.

        Raises ProviderError where it cannot be seen, and StoppedError where the run was stopped,
        or does not wait, and it has not ended.
        """
        name = batch.id if batch is not None else batch_id or ""
        looks = patience.Looks(self.asking.draw)
        while batch is None or batch.state in ("working", "stopping"):
            if batch is not None:
                self.seen(chunk, batch)
                if not self.wait:
                    raise StoppedError
                await self.asking.pause(looks.pause_s())
            batch = await self._look(chunk, service, name)
        self.seen(chunk, batch)
        return batch

    async def _look(self, chunk: Chunk, service: BatchService, name: str) -> Batch:
        try:
            return await self.asking.repeat(
                chunk.provider,
                lambda: service.look(name),
                tries=None if self.wait else patience.CALL_TRIES,
                repeats=lambda error: error.retryable or (self.wait and self._is_new(chunk, error)),
            )
        except ProviderError as error:
            if self._is_new(chunk, error):
                raise StoppedError from error
            raise

    def _is_new(self, chunk: Chunk, error: ProviderError) -> bool:
        """Whether a batch that is not found was created just now: it is shown a little later."""
        age_s = self.clock.now().timestamp() - chunk.asked_at
        return error.kind == "not_found" and age_s < patience.SHOWN_WITHIN_S
