"""Promises of the one timer for all calls that must be over at their time."""

import math

import anyio
import pytest

from runner.workers.due import Due

pytestmark = pytest.mark.anyio


async def called(due_of: list[int], count: int) -> None:
    """Wait until so many have been called."""
    with anyio.fail_after(5):
        while len(due_of) < count:  # noqa: ASYNC110 - a timer of the loop calls them
            await anyio.sleep(0.001)


async def test_each_is_called_once_in_the_order_of_their_moments() -> None:
    """Whoever was added later may be due sooner, and two may be due together."""
    over: list[int] = []
    due = Due(over.append)
    for number, seconds in enumerate((0.06, 0.02, 0.04, 0.02)):
        due.add(number, seconds)
    await called(over, 4)
    await anyio.sleep(0.05)
    assert over == [1, 3, 2, 0]


async def test_what_was_taken_back_is_not_called() -> None:
    """The one timer that was set for it does no harm to those that stay, nor to later ones."""
    over: list[int] = []
    due = Due(over.append)
    due.add(1, 0.01)
    due.add(2, 0.03)
    due.remove(1)
    due.remove(7)
    await called(over, 1)
    due.add(3, 0.01)
    await called(over, 2)
    assert over == [2, 3]


async def test_never_is_never() -> None:
    """Infinity sets no timer, and after the end nobody is called."""
    over: list[int] = []
    due = Due(over.append)
    due.add(1, math.inf)
    due.add(2, 0.01)
    due.close()
    await anyio.sleep(0.05)
    assert over == []


async def test_time_that_is_over_already_is_told_at_once() -> None:
    """Nothing left of it is as good as a moment that has come."""
    over: list[int] = []
    Due(over.append).add(1, 0.0)
    await called(over, 1)
    assert over == [1]
