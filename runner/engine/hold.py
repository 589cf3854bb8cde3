"""The hold: while results cannot be written nothing new is sent, and the write is tried again.

Answers on their way come in meanwhile and wait in memory, or go to the room that was kept for them.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from anyio import Event, current_time, move_on_after, to_thread

from runner.engine.stop import Stop
from runner.errors import WriteError
from runner.events import Event as RunEvent
from runner.events import WritesHeld, WritesResumed
from runner.results.reserve import NoReserve

HOLD_S = 60.0
"""Time for a person or a clean-up to make room, or for a mount to come back. Longer would keep a
full machine waiting for what is seldom mended by itself; most answers on their way come in less."""
RETRY_S = 0.5


class Room(Protocol):
    """Room kept on the disk."""

    def give_back(self) -> bool:
        """Free it. True if there is more room now."""

    def regain(self) -> bool:
        """Take it again. False if there is none."""


def nothing_to_mend() -> None:
    """Find nothing wrong."""


class Hold:
    """A gate that is shut while there is trouble, and the time for which that is borne.

    The writer goes through `write`, the workers through `passed`; `run` watches over both and ends
    only when cancelled or when the time is over.
    """

    def __init__(
        self,
        *,
        stop: Stop,
        emit: Callable[[RunEvent], None],
        room: Room | None = None,
        mend: Callable[[], None] = nothing_to_mend,
        patience_s: float | None = None,
    ) -> None:
        """Create it open. `mend` raises WriteError while nothing can be noted as sent.

        `patience_s`: seconds for which trouble is borne, 0 for none; None means `HOLD_S`.
        """
        self.failure: WriteError | None = None
        """Why the run was ended; None while it was not."""
        self._stop = stop
        self._emit = emit
        self._room = NoReserve() if room is None else room
        self._mend = mend
        self._patience_s = HOLD_S if patience_s is None else patience_s
        self._error: WriteError | None = None
        self._until = self._opened = float("-inf")
        self._stuck = 0
        self._without_room = self._unnoted = False
        self._troubled, self._woken, self._over = Event(), Event(), Event()

    @property
    def shut(self) -> bool:
        """Whether nothing may be sent now."""
        return self._error is not None

    async def passed(self) -> float:
        """Wait while the gate is shut, or until the run is stopped; give the seconds it took."""
        began = current_time()
        while self.shut and not self._stop.draining:
            await self._woken.wait()
        return current_time() - began

    def unnoted(self, error: WriteError) -> None:
        """Shut the gate because a request could not be noted before it went out."""
        self._unnoted = True
        self._trouble(error)

    async def write(self, attempt: Callable[[], Awaitable[None]]) -> None:
        """Write, again and again while there is trouble.

        `attempt` takes up where it has failed. Raises its WriteError when the time is over.
        """
        stuck = False
        try:
            while True:
                over = self._over.is_set() or self._patience_s <= 0
                try:
                    await attempt()
                    return
                except WriteError as error:
                    if error.final or over:
                        raise
                    if not stuck:
                        stuck, self._stuck = True, self._stuck + 1
                    if self._trouble(error):
                        continue
                with move_on_after(RETRY_S):
                    await self._over.wait()
        finally:
            self._stuck -= stuck

    async def run(self) -> None:
        """Open the gate again as soon as that is right, or end the run."""
        while not self._over.is_set():
            await self._troubled.wait()
            await self._tick()
            if self._stop.draining:
                self._woken.set()  # jobs that wait at the gate are left
            if self._stop.cut:
                self._over.set()
            elif await self._mended():
                self._open()
            elif current_time() >= self._until:
                self.failure = self._error
                self._over.set()
                self._stop.cancel()

    def _trouble(self, error: WriteError) -> bool:
        """Shut the gate. True if that made room, so that it is worth trying again at once."""
        first, self._error = self._error is None, error
        given_back = False
        if error.no_room:
            self._without_room = True
            given_back = self._room.give_back()
        if first:
            now = current_time()
            if now - self._opened > 2 * RETRY_S:  # else it never was over
                self._until = now + self._patience_s
            self._woken = Event()
            self._troubled.set()
            self._emit(WritesHeld(error, max(0.0, self._until - now)))
        return given_back

    async def _tick(self) -> None:
        seconds = min(RETRY_S, max(0.0, self._until - current_time()))
        if self._stop.draining:
            await self._stop.pause_drained(seconds)
        else:
            await self._stop.pause(seconds)

    async def _mended(self) -> bool:
        if self._stuck:
            return False
        if self._without_room:
            there_is_room = await to_thread.run_sync(self._room.regain)
            if self._stuck:  # meanwhile; what we took may be what is missing
                self._room.give_back()
            if self._stuck or not there_is_room:
                return False
        try:
            if self._unnoted:
                self._mend()
        except WriteError as error:
            if error.no_room:
                self._without_room = True
                self._room.give_back()
            return False
        return True

    def _open(self) -> None:
        self._error = None
        self._without_room = self._unnoted = False
        self._opened = current_time()
        self._troubled = Event()
        self._woken.set()
        self._emit(WritesResumed())
