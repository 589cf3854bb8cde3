"""Choosing some jobs of a file."""

import pytest

from runner.input.lineset import LineSet
from runner.input.select import limit, sample


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
