"""Results handed to the writer, and the moment when all of them are in the file."""

from anyio import CancelScope, Event
from anyio.streams.memory import MemoryObjectSendStream

from runner.models import Result


class Handing:
    """Counts what is on its way to the file."""

    def __init__(self, send: MemoryObjectSendStream[Result]) -> None:
        self._send = send
        self._given = 0
        self._there = 0
        self._all = Event()

    async def give(self, result: Result) -> None:
        """Hand a result on. Raises BrokenResourceError where the writer has failed."""
        self._given += 1
        # An answer that was paid for is not dropped by a cancellation.
        with CancelScope(shield=True):
            await self._send.send(result)

    def note(self) -> None:
        """Note that one is in the file."""
        self._there += 1
        if self._there == self._given:
            self._all.set()

    async def all_there(self) -> None:
        """Wait until every result that was handed on is in the file."""
        while self._there < self._given:
            self._all = Event()
            await self._all.wait()
