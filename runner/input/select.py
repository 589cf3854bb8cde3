"""Which jobs of a file are meant. Pure functions over a job's ordinal.

The ordinal counts from 0 over the lines that are not blank, invalid ones among them.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby


def everything(_ordinal: int) -> bool:
    """Choose every job."""
    return True


def limit(count: int) -> Callable[[int], bool]:
    """Choose the first `count` jobs."""
    return lambda ordinal: ordinal < count


def sample(count: int, total: int) -> Callable[[int], bool]:
    """Choose `count` of `total` jobs, evenly spread and always the same; all if there are fewer."""
    if count >= total:
        return lambda _ordinal: True
    return lambda ordinal: ordinal * count % total < count


def chosen(selects: Callable[[int], bool], first: int, count: int) -> list[bool]:
    """Say of so many jobs, from an ordinal on, whether they are chosen."""
    if selects is everything:
        return [True] * count
    return list(map(selects, range(first, first + count)))


def runs(wanted: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Give where each run of what is wanted starts, and where it ends: the place behind it."""
    if wanted and all(wanted):
        yield 0, len(wanted)
        return
    end = 0
    for is_wanted, run in groupby(wanted):
        start, end = end, end + sum(1 for _ in run)
        if is_wanted:
            yield start, end
