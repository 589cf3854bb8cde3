"""Promises of the tasks that carry turns: each turn once, few tasks, and none lost in a stop."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from runner.engine.carriers import Carriers
from runner.engine.turn import Turn

pytestmark = pytest.mark.anyio


class Played:
    """Turns that are numbers, what was done with them, and by which tasks."""

    def __init__(self, after: Callable[["Played"], None] = lambda played: None) -> None:
        self.carried: list[int] = []
        self.tasks: set[int] = set()
        self.under_way = self.most = 0
        self.ends = 0
        self.carriers: Carriers
        self._after = after

    async def carry(self, turn: Any) -> None:
        """Take a moment."""
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.tasks.add(anyio.get_current_task().id)
        try:
            await checkpoint()
        finally:
            self.under_way -= 1
            self.carried.append(turn)

    def ended(self) -> None:
        """Be told."""
        self.ends += 1
        self._after(self)

    def take(self, *turns: int) -> None:
        """Hand out turns."""
        for turn in turns:
            given: Any = turn
            self.carriers.take(given)


async def test_a_turn_is_carried_by_a_task_that_is_there() -> None:
    """There are as many tasks as turns were ever under way at once, however many turns."""
    played = Played()
    async with anyio.create_task_group() as group:
        played.carriers = Carriers(group, played.carry, played.ended)
        for start in range(0, 12, 3):
            played.take(start, start + 1, start + 2)
            await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert sorted(played.carried) == list(range(12))
    assert (len(played.tasks), played.most, played.ends) == (3, 3, 12)


async def test_the_next_turn_may_start_where_one_ends() -> None:
    """`ended` may hand out more, one or several, to the very task that tells of it."""

    def more(played: Played) -> None:
        left = 20 - played.under_way - len(played.carried)
        if left > 0:
            played.take(*range(played.ends * 100, played.ends * 100 + min(left, 2)))

    played = Played(more)
    async with anyio.create_task_group() as group:
        played.carriers = Carriers(group, played.carry, played.ended)
        played.take(0)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert len(played.carried) == len(set(played.carried)) >= 20


async def test_a_turn_handed_out_in_the_moment_of_a_stop_is_seen() -> None:
    """A stop in the same moment reaches the turn, which must say what became of it."""
    played = Played()
    async with anyio.create_task_group() as group:
        played.carriers = Carriers(group, played.carry, played.ended)
        played.take(1)
        await anyio.wait_all_tasks_blocked()
        played.take(2, 3)  # one to the task that waits, one to a new task
        group.cancel_scope.cancel()
    assert sorted(played.carried) == [1, 2, 3]


async def test_a_failure_of_one_ends_all() -> None:
    """What carrying raises goes to the group, as of any task."""

    async def fail(turn: Turn) -> None:
        raise ValueError("no way")

    with pytest.RaisesGroup(pytest.RaisesExc(ValueError, match="no way")):
        async with anyio.create_task_group() as group:
            carriers = Carriers(group, fail, lambda: None)
            turn: Any = 1
            carriers.take(turn)
            await anyio.sleep_forever()
