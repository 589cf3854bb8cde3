"""A thread that owns the writes to stdout, so that a slow reader never stops a run.

Knows bytes and a descriptor only.
"""

import os
import select
import stat
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

_IDLE_S = 0.1
"""How often a silent pipe is asked whether its reader is still there."""


class Outlet:
    """Writes pieces in the order in which they are put, each in a write of its own.

    `on_failure` is called at most once, from the thread, when the descriptor takes no more
    (BrokenPipeError: its reader has gone); from then on everything is dropped.
    """

    def __init__(self, fd: int, on_failure: Callable[[OSError], None]) -> None:
        self._fd = fd
        self._on_failure = on_failure
        self._on_drained: Callable[[], None] | None = None
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="outlet", daemon=True)
        self._failed = False

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, data: bytes) -> None:
        """Queue a piece and return at once."""
        self._queue.put(data)

    def backlog(self) -> int:
        """Count the pieces that wait to be written."""
        return self._queue.qsize()

    def finish(self, on_drained: Callable[[], None]) -> None:
        """End the thread once all is written; it calls `on_drained` then."""
        self._on_drained = on_drained
        self._queue.put(None)

    def _run(self) -> None:
        watched = _is_pipe(self._fd)
        while True:
            try:
                piece = self._queue.get(timeout=_IDLE_S if watched else None)
            except Empty:
                if not self._failed and reader_has_gone(self._fd):
                    self._fail(BrokenPipeError())
                continue
            if piece is None:
                break
            if not self._failed:
                self._write(piece)
        if self._on_drained is not None:
            self._on_drained()

    def _write(self, data: bytes) -> None:
        try:
            write_all(self._fd, data)
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self._failed = True
        self._on_failure(error)


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data`, waiting also where the descriptor would not block by itself."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(fd, rest) :]
        except BlockingIOError:
            select.select([], [fd], [])


def reader_has_gone(fd: int) -> bool:
    """Whether nobody will read from this pipe any more."""
    poll = select.poll()
    poll.register(fd, 0)
    gone = select.POLLERR | select.POLLHUP
    return any(event & gone for _, event in poll.poll(0))


def _is_pipe(fd: int) -> bool:
    mode = os.fstat(fd).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
