"""The turns that wait: for their start, by lane, for the end of a back-off, or aside. Pure."""

import math
from collections import deque
from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from itertools import count

from runner.engine.turn import Turn
from runner.pace.lane import Lane


class Waiting:
    """Keeps each lane's turns in their order; those that were sent before come first."""

    def __init__(self) -> None:
        self._lanes: dict[Lane, deque[Turn]] = {}
        self._later: list[tuple[float, int, Turn]] = []
        self._aside: dict[int, list[Turn]] = {}
        self._numbers = count()
        self._count = 0

    def __len__(self) -> int:
        """Count them all."""
        return self._count

    @property
    def next_at(self) -> float:
        """When the next back-off ends; infinity where nobody waits for one."""
        return self._later[0][0] if self._later else math.inf

    def add(self, turn: Turn) -> None:
        """Let a new turn wait behind the others."""
        self._lane(turn).append(turn)
        self._count += 1

    def put_back(self, turn: Turn, at: float, now: float) -> None:
        """Let a turn that was sent before wait until `at`, then before the others."""
        self._count += 1
        if at <= now:
            self._lane(turn).appendleft(turn)
        else:
            heappush(self._later, (at, next(self._numbers), turn))

    def ripen(self, now: float) -> None:
        """Put those whose back-off is over before the others of their lane."""
        while self._later and self._later[0][0] <= now:
            turn = heappop(self._later)[2]
            self._lane(turn).appendleft(turn)

    def lanes(self) -> list[Lane]:
        """Give the lanes in which somebody waits for a start."""
        return list(self._lanes)

    def first(self, lane: Lane) -> Turn | None:
        """Look at the next turn of a lane."""
        turns = self._lanes.get(lane)
        return turns[0] if turns else None

    def take(self, lane: Lane) -> Turn:
        """Take the next turn of a lane away."""
        turns = self._lanes[lane]
        turn = turns.popleft()
        self._count -= 1
        if not turns:
            # Put last when it comes again, so that the lanes take turns.
            del self._lanes[lane]
        return turn

    def set_aside(self, turn: Turn, key: int) -> None:
        """Let a turn that was taken wait until those aside under `key` are called back."""
        self._aside.setdefault(key, []).append(turn)
        self._count += 1

    def call_back(self, key: int) -> None:
        """Let those aside under `key` wait for their start, before the others of their lane."""
        for turn in reversed(self._aside.pop(key, ())):
            self._lane(turn).appendleft(turn)

    def take_where(self, unwanted: Callable[[Turn], bool]) -> list[Turn]:
        """Take away all that are unwanted, those in a back-off or aside too.

        The others aside are called back.
        """
        for key in list(self._aside):
            self.call_back(key)
        taken = [later[2] for later in self._later if unwanted(later[2])]
        self._later = [later for later in self._later if not unwanted(later[2])]
        heapify(self._later)
        for lane, turns in list(self._lanes.items()):
            taken += [turn for turn in turns if unwanted(turn)]
            kept = deque(turn for turn in turns if not unwanted(turn))
            if kept:
                self._lanes[lane] = kept
            else:
                del self._lanes[lane]
        self._count -= len(taken)
        return taken

    def drain(self) -> Iterator[Turn]:
        """Take all away."""
        for key in list(self._aside):
            self.call_back(key)
        while self._later:
            self.put_back(heappop(self._later)[2], -math.inf, 0.0)
            self._count -= 1
        for lane in self.lanes():
            while self.first(lane) is not None:
                yield self.take(lane)

    def _lane(self, turn: Turn) -> deque[Turn]:
        return self._lanes.setdefault(turn.lane, deque())
