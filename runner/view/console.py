"""Live text on stdout: one answer (`tail`), or many in input order (`batch --tail`)."""

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import suppress

from anyio import CancelScope, Event, move_on_after, sleep

from runner.events import DeltaReceived, JobFinished, JobLeft, JobQueued, RetryScheduled
from runner.events import Event as RunEvent
from runner.view.gathering import Gathering, Piece
from runner.view.outlet import Outlet
from runner.view.pen import Pen, left_out

_BACKLOG = 4096
"""Pieces that may wait for a slow reader before nothing new should be asked."""
_LOOK_S = 0.02


def _nothing(_: OSError) -> None:
    pass


class LiveText:
    """A sink that shows text the moment it arrives; a thread of its own does the writing.

    `on_failure` is called in the event loop, once, when stdout takes no more: BrokenPipeError when
    its reader has gone (also while nothing arrives), else another OSError such as a full disk.
    """

    def __init__(
        self,
        *,
        many: bool,
        terminal: bool,
        on_failure: Callable[[OSError], None] = _nothing,
        stdout: int = 1,
        notes: Pen | None = None,
    ) -> None:
        """Create the sink. `stdout` is a file descriptor; `notes` takes the lines about answers.

        Where both lead to the same file or terminal, notes keep their place in the text; where
        they do not, neither waits for the other.
        """
        self.failure: OSError | None = None
        """Why stdout takes no more; None while it does."""
        self._gathering = Gathering(many=many, terminal=terminal)
        self._on_failure = on_failure
        self._notes = notes
        self._together = notes is not None and _same_file(stdout, notes.fd)
        self._left_out = 0
        self._outlet = Outlet(stdout, lambda error: self._in_loop(self._fail, error))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drained = Event()
        self._finishing = False

    def start(self) -> None:
        """Begin to write. Must be called in the event loop."""
        self._loop = asyncio.get_running_loop()
        self._outlet.start()

    def emit(self, event: RunEvent) -> None:
        match event:
            case JobQueued(job):
                self._gathering.queued(job.id)
            case DeltaReceived(job, text, "text"):
                self._put(self._gathering.delta(job.id, text))
            case RetryScheduled(job):
                self._gathering.retried(job.id)
            case JobFinished(result) if result.digest is None:
                self._put(self._gathering.refused(result))
            case JobFinished(result):
                self._put(self._gathering.ended(result.id, result))
            case JobLeft(job):
                self._put(self._gathering.ended(job.id, None))
            case _:
                pass

    def shown(self, job_id: str) -> bool:
        """Whether any text of a job that has not ended is on its way to stdout."""
        return self._gathering.shown(job_id)

    def note(self, text: str, *, minor: bool = False) -> None:
        """Write a line to stderr; a minor one may be dropped where nobody reads."""
        if self._notes is None:
            return
        if not self._together:
            self._notes.line(text, minor=minor)
        elif minor and self._outlet.backlog() > _BACKLOG:
            self._left_out += 1
        else:
            if self._left_out:
                text = f"{left_out(self._left_out)}\n{text}"
                self._left_out = 0
            self._outlet.put(f"{text}\n".encode(self._notes.encoding, "backslashreplace"))

    @property
    def together(self) -> bool:
        """Whether text and notes lead to the same file or terminal."""
        return self._together

    def aside(self, text: str) -> None:
        """Write a piece that is no part of the answer into the midst of it; needs `together`."""
        self._outlet.put(text.encode(errors="replace"))

    async def room(self) -> None:
        """Wait while a slow reader has so much to catch up on that nothing new should be asked."""
        while self._outlet.backlog() > _BACKLOG:  # noqa: ASYNC110 - a thread empties it
            await sleep(_LOOK_S)

    async def drained(self, timeout_s: float) -> bool:
        """Write what is left and no more; tell whether it is done, after `timeout_s` at most."""
        self._finish()
        with move_on_after(timeout_s):
            await self._drained.wait()
        return self._drained.is_set()

    async def close(self, timeout_s: float) -> bool:
        """Do as `drained`, also when cancelled."""
        with CancelScope(shield=True):
            await self.drained(timeout_s)
        return self._drained.is_set()

    def _finish(self) -> None:
        if not self._finishing:
            self._finishing = True
            self._outlet.finish(lambda: self._in_loop(self._drained.set))

    def _put(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            if piece.note:
                self.note(piece.text.removesuffix("\n"), minor=True)
            else:
                self._outlet.put(piece.text.encode(errors="replace"))

    def _in_loop(self, function: Callable[..., None], *arguments: object) -> None:
        # The loop may be gone when a reader wakes up late; then nobody is left to be told.
        with suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(function, *arguments)

    def _fail(self, error: OSError) -> None:
        self.failure = error
        self._on_failure(error)


def _same_file(one: int, other: int) -> bool:
    try:
        return os.path.samestat(os.fstat(one), os.fstat(other))
    except OSError:
        return False
