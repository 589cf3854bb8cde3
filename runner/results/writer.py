"""The one task that writes results: takes what is waiting, one write for all of it.

Knows nothing of jobs or providers. A line that was accepted by `write` survives `kill -9`; a
loss of power can cost the last second.
"""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import NamedTuple, Protocol

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream

from runner.errors import WriteError
from runner.models import Result
from runner.results.encode import encode
from runner.results.output import Output

COALESCE_S = 0.02
"""Shortest time between two writes: a hop to a thread costs 75 to 230 us, a line 3."""
SYNC_EVERY_S = 1.0


class Place(NamedTuple):
    """Where a record stands in the results file."""

    offset: int
    length: int
    """Bytes without the newline."""


OnWritten = Callable[[Result, Place | None], None]
"""Called with each record whose bytes have been accepted; no place where nothing is kept."""


class Patience(Protocol):
    """Who decides what happens when a write has failed."""

    async def write(self, attempt: Callable[[], Awaitable[None]]) -> None:
        """Write; on WriteError raise it, or call `attempt` again: it takes up where it failed."""


class NoPatience:
    """Gives up at the first failure."""

    async def write(self, attempt: Callable[[], Awaitable[None]]) -> None:
        """Try once."""
        await attempt()


def pass_over(_result: Result, _place: Place | None) -> None:
    """Take no notice."""


async def write_results(
    receive: MemoryObjectReceiveStream[Result],
    out: Output,
    *,
    on_written: OnWritten = pass_over,
    patience: Patience | None = None,
) -> None:
    """Write every result until the stream ends, then sync and close the output.

    `on_written` is called when the bytes of a result have been accepted. A record is on its way
    to the file at once where the last write is 20 ms old, else when it is. Cancelled, it still
    writes what has been handed over. Raises WriteError when `patience` is at its end (None has
    none), or BrokenPipeError for a closed stdout.
    """
    patience = patience or NoPatience()
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_sync_now_and_then, out, patience)
            async with receive:
                await _write_until_end(receive, partial(_write, out, on_written), patience)
            await patience.write(out.sync)
            group.cancel_scope.cancel()
    except BaseExceptionGroup as failures:
        # The group is ours, the one true cause is the caller's.
        raise failures.exceptions[0] from None
    finally:
        await out.aclose()


async def _sync_now_and_then(out: Output, patience: Patience) -> None:
    while True:
        await anyio.sleep(SYNC_EVERY_S)
        await patience.write(out.sync)


async def _write_until_end(
    receive: MemoryObjectReceiveStream[Result],
    write: Callable[[list[Result]], Awaitable[None]],
    patience: Patience,
) -> None:
    pending: list[Result] = []
    next_write = 0.0
    try:
        async for result in receive:
            pending.append(result)
            await anyio.sleep(max(0.0, next_write - anyio.current_time()))
            pending += _waiting(receive)
            await patience.write(partial(write, pending))
            next_write = anyio.current_time() + COALESCE_S
    except anyio.get_cancelled_exc_class():
        with anyio.CancelScope(shield=True):
            pending += _waiting(receive)
            await write(pending)
        raise


def _waiting(receive: MemoryObjectReceiveStream[Result]) -> Iterator[Result]:
    while True:
        try:
            yield receive.receive_nowait()
        except (anyio.WouldBlock, anyio.EndOfStream):
            return


async def _write(out: Output, on_written: OnWritten, pending: list[Result]) -> None:
    """Write and take away what is pending; after a failure the rest is still there."""
    lines = [encode(result) for result in pending]
    while lines:
        count, position = _fitting(lines, out.at_once), out.end
        try:
            await out.append(b"".join(lines[:count]))
        except WriteError as error:
            count = error.lines_written
            raise
        except BaseException:
            count = 0
            raise
        finally:
            # Nothing is awaited between the write and here: no result is written twice.
            for result, line in zip(pending[:count], lines[:count], strict=True):
                on_written(result, None if position is None else Place(position, len(line) - 1))
                position = None if position is None else position + len(line)
            del pending[:count], lines[:count]


def _fitting(lines: list[bytes], at_once: int) -> int:
    """Count the lines that make one write; a line that is longer than one goes alone."""
    size = 0
    for count, line in enumerate(lines):
        size += len(line)
        if count and size > at_once:
            return count
    return len(lines)
