"""Which jobs of a file are meant. Pure functions over a job's ordinal.

The ordinal counts from 0 over the lines that are not blank, invalid ones among them.
"""

from collections.abc import Callable


def limit(count: int) -> Callable[[int], bool]:
    """Choose the first `count` jobs."""
    return lambda ordinal: ordinal < count


def sample(count: int, total: int) -> Callable[[int], bool]:
    """Choose `count` of `total` jobs, evenly spread and always the same; all if there are fewer."""
    if count >= total:
        return lambda _ordinal: True
    return lambda ordinal: ordinal * count % total < count
