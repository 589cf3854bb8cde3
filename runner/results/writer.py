"""The one task that writes results: takes what is waiting, one write for all of it.

Knows nothing of jobs or providers. A line that was accepted by `write` survives `kill -9`; a
loss of power can cost the last second.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream

from runner.errors import WriteError
from runner.models import Result
from runner.results.encode import encode
from runner.results.output import Output

COALESCE_S = 0.005
"""Shortest time between two writes: a hop to a thread costs 75 to 230 us, a line 3."""
MAX_WRITE_BYTES = 64 * 1024
"""Larger joins page-fault."""
SYNC_EVERY_S = 1.0


class Place(NamedTuple):
    """Where a record stands in the results file."""

    offset: int
    length: int
    """Bytes without the newline."""


OnWritten = Callable[[Result, Place | None], None]
"""Called with each record whose bytes have been accepted; no place where nothing is kept."""


def pass_over(_result: Result, _place: Place | None) -> None:
    """Take no notice."""


async def write_results(
    receive: MemoryObjectReceiveStream[Result],
    out: Output,
    *,
    on_written: OnWritten = pass_over,
) -> None:
    """Write every result until the stream ends, then sync and close the output.

    `on_written` is called when the bytes of a result have been accepted. A record is on its way
    to the file at once where the last write is 5 ms old, else when it is. Cancelled, it still
    writes what has been handed over. Raises WriteError, or BrokenPipeError for a closed stdout.
    """
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_sync_now_and_then, out)
            async with receive:
                await _write_until_end(receive, out, on_written)
            group.cancel_scope.cancel()
    except BaseExceptionGroup as failures:
        # The group is ours, the one true cause is the caller's.
        raise failures.exceptions[0] from None
    finally:
        await out.aclose()


async def _sync_now_and_then(out: Output) -> None:
    while True:
        await anyio.sleep(SYNC_EVERY_S)
        await out.sync()


async def _write_until_end(
    receive: MemoryObjectReceiveStream[Result], out: Output, on_written: OnWritten
) -> None:
    pending: list[Result] = []
    next_write = 0.0
    try:
        async for result in receive:
            pending.append(result)
            await anyio.sleep(max(0.0, next_write - anyio.current_time()))
            pending += _waiting(receive)
            await _write(pending, out, on_written)
            next_write = anyio.current_time() + COALESCE_S
    except anyio.get_cancelled_exc_class():
        with anyio.CancelScope(shield=True):
            pending += _waiting(receive)
            await _write(pending, out, on_written)
        raise


def _waiting(receive: MemoryObjectReceiveStream[Result]) -> Iterator[Result]:
    while True:
        try:
            yield receive.receive_nowait()
        except (anyio.WouldBlock, anyio.EndOfStream):
            return


async def _write(pending: list[Result], out: Output, on_written: OnWritten) -> None:
    lines = [encode(result) for result in pending]
    for count in _counts(lines):
        position, sizes = out.end, [len(line) for line in lines[:count]]
        data = b"".join(lines[:count])
        del lines[:count]
        try:
            await out.append(data)
        except WriteError as error:
            _accepted(pending, sizes[: error.lines_written], position, on_written)
            raise
        # Nothing is awaited between the write and here: no result is written twice.
        _accepted(pending, sizes, position, on_written)


def _accepted(
    pending: list[Result], sizes: list[int], position: int | None, on_written: OnWritten
) -> None:
    accepted = pending[: len(sizes)]
    del pending[: len(sizes)]
    for result, size in zip(accepted, sizes, strict=True):
        on_written(result, None if position is None else Place(position, size - 1))
        if position is not None:
            position += size


def _counts(lines: list[bytes]) -> Iterator[int]:
    """Join lines to writes of at most 64 kB; a longer line goes alone."""
    count = size = 0
    for length in [len(line) for line in lines]:
        if count and size + length > MAX_WRITE_BYTES:
            yield count
            count = size = 0
        count += 1
        size += length
    if count:
        yield count
