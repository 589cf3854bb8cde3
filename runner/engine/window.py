"""How far the feeder may run ahead of the oldest unfinished job."""

from anyio import Event


class Window:
    """Lets job number n start only while fewer than `ahead` jobs stand between it and the front.

    The front is the oldest job that has not ended. With answers shown in input order this bounds
    what is gathered behind the live one.
    """

    def __init__(self, ahead: int | None) -> None:
        """`ahead` in jobs; None sets no bound."""
        self._ahead = ahead
        self._front = 0
        self._ended: set[int] = set()
        self._moved = Event()

    async def enter(self, sequence: int) -> None:
        """Wait until job `sequence`, counted from 0, may start."""
        while self._ahead is not None and sequence >= self._front + self._ahead:
            await self._moved.wait()

    def leave(self, sequence: int) -> None:
        """Note that job `sequence` has ended."""
        if self._ahead is None:
            return
        self._ended.add(sequence)
        while self._front in self._ended:
            self._ended.remove(self._front)
            self._front += 1
        moved, self._moved = self._moved, Event()
        moved.set()
