"""The one task that writes results: takes what is waiting, one write for all of it.

Knows nothing of jobs or providers. A line that was accepted by `write` survives `kill -9`; a
loss of power can cost the last second.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import aiofiles
import anyio
from aiofiles.threadpool.binary import AsyncFileIO
from anyio.streams.memory import MemoryObjectReceiveStream

from runner.errors import WriteError
from runner.models import Result
from runner.results.durable import cannot_write, sync_data
from runner.results.encode import encode
from runner.results.paths import ResultPaths

COALESCE_S = 0.005
"""Shortest time between two writes: a hop to a thread costs 75 to 230 us, a line 3."""
MAX_WRITE_BYTES = 64 * 1024
"""Larger joins page-fault."""
SYNC_EVERY_S = 1.0
_FULL_PIPE_WAIT_S = 0.01


class Output(Protocol):
    """Where encoded records go."""

    async def append(self, data: bytes) -> None:
        """Write whole lines. Raises WriteError, after which no part of a line is left."""

    async def sync(self) -> None:
        """Make what was written last through a loss of power. Raises WriteError."""

    async def aclose(self) -> None:
        """Sync and close."""


class FileOutput:
    """The results file, opened for appending by the holder of its lock."""

    def __init__(self, file: AsyncFileIO, paths: ResultPaths, size: int) -> None:
        """Take an unbuffered file; `size` is where it ends, after a whole line."""
        self._file = file
        self._path = paths.results
        self._shown = paths.shown
        self._end = size
        self._dirty = False

    @property
    def end(self) -> int:
        """Give the file's size so far, in bytes."""
        return self._end

    async def append(self, data: bytes) -> None:
        # Shielded: a half-written batch must be ended or cut, whoever stops the run.
        with anyio.CancelScope(shield=True):
            written = 0
            self._dirty = True
            try:
                while written < len(data):
                    written += await self._file.write(memoryview(data)[written:]) or 0
            except OSError as error:
                # The lines that went through are paid answers and stay.
                whole = data.rfind(b"\n", 0, written) + 1
                await self._cut(self._end + whole)
                failure = cannot_write(self._shown, error)
                failure.lines_written = data.count(b"\n", 0, whole)
                raise failure from error
            self._end += written

    async def sync(self) -> None:
        if not self._dirty:
            return
        self._dirty = False
        try:
            await anyio.to_thread.run_sync(sync_data, self._file.fileno())
            in_place = await anyio.to_thread.run_sync(_names, self._path, self._file.fileno())
        except OSError as error:
            raise cannot_write(self._shown, error) from error
        if not in_place:
            # The system takes bytes for a removed file without a word; nobody could read them.
            raise WriteError(
                f"{self._shown} was moved or removed while answers were written to it.\n"
                "Put it back if you have it, then give the same command again."
            )

    async def aclose(self) -> None:
        with anyio.CancelScope(shield=True):
            try:
                await self.sync()
            finally:
                await self._file.close()

    async def _cut(self, size: int) -> None:
        self._end = size
        try:
            await self._file.truncate(size)
        except OSError as error:
            raise cannot_write(self._shown, error) from error


class StdoutOutput:
    """`-o -`: records go to a pipe or a terminal; nothing is kept.

    A closed pipe surfaces as BrokenPipeError.
    """

    def __init__(self, fd: int = 1) -> None:
        self._fd = fd

    async def append(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[await self._some(view) :]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise cannot_write("stdout", error) from error

    async def _some(self, view: memoryview) -> int:
        # A reader that has stopped reading must not keep a cancelled run from ending.
        return await anyio.to_thread.run_sync(_write_some, self._fd, view, abandon_on_cancel=True)

    async def sync(self) -> None:
        """Do nothing: a pipe has no disk."""

    async def aclose(self) -> None:
        """Leave the descriptor open: it is not ours."""


def _write_some(fd: int, view: memoryview) -> int:
    try:
        return os.write(fd, view)
    except BlockingIOError:
        # Somebody made our stdout non-blocking and its reader is slow.
        time.sleep(_FULL_PIPE_WAIT_S)
        return 0


def _names(path: Path, fd: int) -> bool:
    """Whether a path still leads to an open file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(fd))
    except (FileNotFoundError, NotADirectoryError):
        return False


async def open_output(paths: ResultPaths) -> FileOutput:
    """Open the results file for appending, creating it if need be. Raises WriteError."""
    try:
        file = await aiofiles.open(paths.results, "ab", buffering=0)
    except OSError as error:
        raise cannot_write(paths.shown, error) from error
    return FileOutput(file, paths, os.fstat(file.fileno()).st_size)


async def write_results(
    receive: MemoryObjectReceiveStream[Result],
    out: Output,
    *,
    on_written: Callable[[Result], None] = lambda _result: None,
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
    receive: MemoryObjectReceiveStream[Result], out: Output, on_written: Callable[[Result], None]
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


async def _write(pending: list[Result], out: Output, on_written: Callable[[Result], None]) -> None:
    for data, count in _joined([encode(result) for result in pending]):
        try:
            await out.append(data)
        except WriteError as error:
            for result in pending[: error.lines_written]:
                on_written(result)
            raise
        # Nothing is awaited between the write and here: no result is written twice.
        accepted = pending[:count]
        del pending[:count]
        for result in accepted:
            on_written(result)


def _joined(lines: list[bytes]) -> Iterator[tuple[bytes, int]]:
    """Join lines to writes of at most 64 kB; a longer line goes alone."""
    start = size = 0
    for index, line in enumerate(lines):
        if size and size + len(line) > MAX_WRITE_BYTES:
            yield b"".join(lines[start:index]), index - start
            start, size = index, 0
        size += len(line)
    if size:
        yield b"".join(lines[start:]), len(lines) - start
