"""Tasks that carry turns, one after the other. Knows nothing of what is done with a turn.

To make a task for each turn would cost as much as the rest of its way through the engine.
"""

from collections.abc import Awaitable, Callable

from anyio import Event
from anyio.abc import TaskGroup

from runner.engine.turn import Turn


class _Seat:
    """Where a carrier is that has nothing to do."""

    __slots__ = ("taken", "turn")

    def __init__(self) -> None:
        self.turn: Turn | None = None
        self.taken: Event | None = None

    async def next(self) -> Turn:
        if self.turn is None:
            self.taken = Event()
            await self.taken.wait()
        turn = self.turn
        if turn is None:
            raise RuntimeError("a carrier was called without a turn")
        return turn

    def call(self, turn: Turn) -> None:
        self.turn = turn
        if self.taken is not None:
            self.taken.set()


class Carriers:
    """As many tasks of one group as there were ever turns under way at once."""

    def __init__(
        self,
        group: TaskGroup,
        carry: Callable[[Turn], Awaitable[None]],
        ended: Callable[[], None],
    ) -> None:
        """`carry` sees a turn through. `ended` is called after each, and may `take` the next."""
        self._group = group
        self._carry = carry
        self._ended = ended
        self._idle: list[_Seat] = []

    def take(self, turn: Turn) -> None:
        """Have a turn carried, from the caller's next wait on."""
        if self._idle:
            self._idle.pop().call(turn)
        else:
            self._group.start_soon(self._work, turn)

    async def _work(self, turn: Turn) -> None:
        while True:
            await self._carry(turn)
            del turn  # or who waits here would keep a job in memory
            seat = _Seat()
            self._idle.append(seat)
            self._ended()
            turn = await seat.next()
