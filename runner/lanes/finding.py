"""Was this batch created? Looking for one whose creation was asked for and never confirmed.

A service that keeps a word with each batch says so by it. Elsewhere time and number of rows make
candidates, and only the rows of a batch that has ended tell whose it was: until then it is waited
for, and nothing is submitted in its place.
"""

from collections.abc import Callable, Collection
from contextlib import aclosing

from runner.lanes import patience
from runner.lanes.asking import Asking, StoppedError
from runner.lanes.chunk import Chunk
from runner.providers.batches.base import Batch, BatchService


async def find(
    chunk: Chunk,
    service: BatchService,
    asking: Asking,
    *,
    others: Callable[[], Collection[str]],
    now: Callable[[], float],
    wait: bool,
) -> Batch | None:
    """Look until a batch is listed that is, or may be, the chunk's, or none can come any more.

    `others` names batches that are known to be of other chunks. Without `wait` it looks once.
    Raises ProviderError, and StoppedError where that one look, or the run, ended before it was
    certain.
    """
    began, looks = now(), patience.searching(asking.draw)
    while True:
        found = await asking.repeat(chunk.provider, lambda: _listed(chunk, service, others()))
        if found is not None:
            return found
        if _is_certain(chunk, began, now()):
            return None
        if not wait:
            raise StoppedError
        await asking.pause(looks.pause_s())


def _is_certain(chunk: Chunk, began: float, now: float) -> bool:
    # Not since it was asked for: a kill may have struck long after, while rows were being sent.
    return now - began >= patience.LISTED_WITHIN_S or (
        now - chunk.asked_at >= patience.LONG_AGO_S + patience.CREATED_WITHIN_S
    )


async def _listed(chunk: Chunk, service: BatchService, others: Collection[str]) -> Batch | None:
    found: Batch | None = None
    async with aclosing(service.listed(chunk.asked_at - patience.CLOCK_S)) as batches:
        async for batch in batches:
            if batch.tag == chunk.tag:
                return batch
            if not service.tags and _may_be(chunk, batch, others):
                # Of one that has ended it can be told at once whose it is.
                found = batch if found is None or found.state != "ended" else found
    return found


def _may_be(chunk: Chunk, batch: Batch, others: Collection[str]) -> bool:
    latest = chunk.asked_at + patience.CREATED_WITHIN_S + patience.CLOCK_S
    return (
        batch.rows == chunk.rows
        and batch.created_at <= latest
        and batch.id not in chunk.strangers
        and batch.id not in others
    )
