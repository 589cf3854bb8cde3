"""Where records go: the results file, or stdout. Whole lines, or none of them.

Knows bytes only; `runner.results.writer` decides what is written and when.
"""

import errno
import os
import select
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import aiofiles
import anyio
from aiofiles.threadpool.binary import AsyncFileIO

from runner.errors import LockedError, WriteError
from runner.results.durable import cannot_write, sync_data
from runner.results.lock import cover
from runner.results.paths import ResultPaths
from runner.words import printable_json

_FULL_PIPE_WAIT_S = 0.01
_LOOK_MS = 100
"""How long a thread waits for a reader who takes nothing, before it asks whether to go on."""


class Output(Protocol):
    """Where encoded records go."""

    at_once: int
    """The most bytes that one `append` is to be given, where they are more than one line."""

    @property
    def end(self) -> int | None:
        """The size so far, in bytes; None where nothing can be found again (a pipe)."""

    async def append(self, data: bytes) -> None:
        """Write whole lines.

        Raises WriteError, which says how many were written all the same; the next call has to
        begin with the first of the others.
        """

    async def sync(self) -> None:
        """Make what was written last through a loss of power. Raises WriteError."""

    async def aclose(self) -> None:
        """Sync and close."""


class FileOutput:
    """The results file, opened for appending by the holder of its lock."""

    at_once = 4 * 1024 * 1024
    """A write is a hop to a thread, whose end waits for its turn among thousands of answers: with a
    hop for each 512 kB half of them waited for the last."""

    def __init__(self, file: AsyncFileIO, paths: ResultPaths, size: int) -> None:
        """Take an unbuffered file; `size` is where it ends, after a whole line."""
        self._file = file
        self._path = paths.results
        self._shown = paths.shown
        self._end = size
        self._torn = False
        """Whether a part of a line stands behind the end."""
        self._dirty = False

    @property
    def end(self) -> int:
        """The file's size so far, in bytes."""
        return self._end

    async def append(self, data: bytes) -> None:
        # Shielded: a half-written batch must be ended or cut, whoever stops the run.
        with anyio.CancelScope(shield=True):
            written = 0
            self._dirty = True
            try:
                if self._torn:
                    await self._cut()
                while written < len(data):
                    written += await self._file.write(memoryview(data)[written:]) or 0
            except OSError as error:
                # The lines that went through are paid answers and stay.
                whole = data.rfind(b"\n", 0, written) + 1
                self._end += whole
                self._torn = self._torn or written > whole
                if self._torn:
                    # Where even that fails, it comes before the next write, or at the next start.
                    with suppress(OSError):
                        await self._cut()
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
            self._dirty = True
            failure = cannot_write(self._shown, error)
            # The system tells of bytes it has lost once; the next sync would be content.
            failure.final = error.errno == errno.EIO
            raise failure from error
        if not in_place:
            # The system takes bytes for a removed file without a word; nobody could read them.
            self._dirty = True
            raise self._gone()

    def _gone(self) -> WriteError:
        if os.fstat(self._file.fileno()).st_nlink == 0:
            failure = WriteError(
                f"{self._shown} was removed while answers were written to it,\n"
                "and they are gone with it. The same command asks again."
            )
            failure.final = True
            return failure
        problem = f"{self._shown} was moved while answers were written to it"
        failure = WriteError(f"{problem}.\nPut it back, then give the same command again.")
        failure.problem, failure.remedy = problem, "Put it back"
        return failure

    async def aclose(self) -> None:
        with anyio.CancelScope(shield=True):
            try:
                await self.sync()
            finally:
                await self._file.close()

    async def _cut(self) -> None:
        await self._file.truncate(self._end)
        self._torn = False


def _for_ever() -> None:
    """Wait for a reader as long as it takes."""


class StdoutOutput:
    """`-o -`: records go to a pipe or a terminal, which they cannot command; nothing is kept.

    A closed pipe surfaces as BrokenPipeError, and so does a reader who takes nothing for longer
    than `patience` allows by then.
    """

    end = None
    at_once = 64 * 1024
    """What a reader who has stopped reading leaves to a thread that nobody waits for."""

    def __init__(self, fd: int = 1, patience: Callable[[], float | None] = _for_ever) -> None:
        """Take a descriptor. `patience` gives seconds, or None while a run is not stopped."""
        self._fd = fd
        self._patience = patience
        self._terminal = os.isatty(fd)
        self._begun = 0
        """Bytes of the next line that are out already: a pipe takes nothing back."""

    async def append(self, data: bytes) -> None:
        if self._terminal:
            data = printable_json(data.decode(errors="surrogateescape")).encode()
        written, self._begun = self._begun, 0
        try:
            taken_at = time.monotonic()
            while written < len(data):
                taken = await self._some(memoryview(data)[written:])
                written += taken
                taken_at = self._still_there(taken, taken_at)
        except BrokenPipeError:
            raise
        except OSError as error:
            whole = data.rfind(b"\n", 0, written) + 1
            self._begun = written - whole
            failure = cannot_write("stdout", error)
            failure.final = error.errno == errno.EBADF  # it was closed before we began
            failure.lines_written = data.count(b"\n", 0, whole)
            raise failure from error

    def _still_there(self, taken: int, taken_at: float) -> float:
        """Give the time at which the reader last took something; raises if too long ago."""
        now = time.monotonic()
        patience = self._patience()
        if taken:
            return now
        if patience is not None and now - taken_at > patience:
            raise BrokenPipeError(errno.EPIPE, "its reader has stopped reading")
        return taken_at

    async def _some(self, view: memoryview) -> int:
        # A reader that has stopped reading must not keep a cancelled run from ending.
        return await anyio.to_thread.run_sync(_write_some, self._fd, view, abandon_on_cancel=True)

    async def sync(self) -> None:
        """Do nothing: a pipe has no disk."""

    async def aclose(self) -> None:
        """Leave the descriptor open: it is not ours."""


def _write_some(fd: int, view: memoryview) -> int:
    """Write until all is written or the reader takes nothing for a moment; give the bytes."""
    written, poll = 0, select.poll()
    poll.register(fd, select.POLLOUT)
    while written < len(view) and poll.poll(_LOOK_MS):
        try:
            # A pipe said to be writable takes so much without making anybody wait.
            written += os.write(fd, view[written : written + select.PIPE_BUF])
        except BlockingIOError:
            # Somebody made our stdout non-blocking and its reader is slow.
            time.sleep(_FULL_PIPE_WAIT_S)
        except OSError:
            if not written:
                raise
            break
    return written


def _names(path: Path, fd: int) -> bool:
    """Whether a path still leads to an open file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(fd))
    except (FileNotFoundError, NotADirectoryError):
        return False


async def open_output(paths: ResultPaths) -> FileOutput:
    """Open the results file for appending, creating it if need be.

    Raises WriteError, or LockedError where another run has it open under another name.
    """
    try:
        file = await aiofiles.open(paths.results, "ab", buffering=0)
    except OSError as error:
        raise cannot_write(paths.shown, error) from error
    try:
        cover(paths, file.fileno())
    except LockedError:
        await file.close()
        raise
    return FileOutput(file, paths, os.fstat(file.fileno()).st_size)
