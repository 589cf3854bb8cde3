"""Choosing some jobs of a file."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.input.lineset import LineSet
from runner.input.select import limit, runs, sample


def test_limit_is_the_beginning() -> None:
    """A limit chooses the first jobs."""
    assert [ordinal for ordinal in range(9) if limit(3)(ordinal)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("count", "total"), [(1, 7), (3, 10), (7, 7), (9, 7), (999, 1000), (33, 1319)]
)
def test_a_sample_is_spread_evenly(count: int, total: int) -> None:
    """A sample has the wished size, begins at the first job and leaves no two gaps unequal."""
    chosen = [ordinal for ordinal in range(total) if sample(count, total)(ordinal)]
    assert len(chosen) == min(count, total)
    assert chosen[0] == 0
    gaps = {after - before for before, after in zip(chosen, [*chosen[1:], total], strict=True)}
    assert max(gaps) - min(gaps) <= 1


def test_a_set_of_lines() -> None:
    """Lines that were put in are found, others not; twice is once."""
    lines = LineSet()
    for line in (1, 8, 70_000, 8):
        lines.add(line)
    assert [line for line in (0, 1, 2, 7, 8, 9, 70_000, 70_001, 10**9) if line in lines] == [
        1,
        8,
        70_000,
    ]
    assert len(lines) == 3


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=4))
def test_lines_that_follow_each_other_are_put_in_at_once(pieces: list[tuple[int, int]]) -> None:
    """A stretch of lines that are not in yet comes to the same as each of them alone."""
    at_once, alone, first = LineSet(), LineSet(), 1
    for gap, count in pieces:
        first += gap
        at_once.add_all(first, first + count)
        for line in range(first, first + count):
            alone.add(line)
        first += count
    assert [line in at_once for line in range(260)] == [line in alone for line in range(260)]
    assert len(at_once) == len(alone)


@given(st.lists(st.booleans()))
def test_runs_are_all_that_is_wanted(wanted: list[bool]) -> None:
    """The runs of what is wanted hold it all, and are apart from each other."""
    found = list(runs(wanted))
    inside = {at for start, end in found for at in range(start, end)}
    assert inside == {at for at, is_wanted in enumerate(wanted) if is_wanted}
    assert all(end < start for (_, end), (start, _) in pairwise(found))
