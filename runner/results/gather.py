"""Records read in another order than the file's: some at a time, neighbours in one piece."""

from collections.abc import Iterable, Iterator
from itertools import islice

from runner.results.lines import BLOCK_BYTES, read_at
from runner.results.places import Places

_AT_ONCE = 1024
_APART_BYTES = 8 * 1024
"""Reading so many bytes for nothing takes as long as reading once more."""


def gather(fd: int, places: Places, rows: Iterable[int]) -> Iterator[tuple[list[int], list[bytes]]]:
    """Give records by their numbers, in that order, in groups of about a block."""
    left = iter(rows)
    while some := list(islice(left, _AT_ONCE)):
        starts, sizes = places.offsets(some), places.strides.pick(some)
        for group in _groups(sizes):
            yield some[group], _read_each(fd, starts[group], sizes[group])


def _groups(sizes: list[int]) -> Iterator[slice]:
    first = size = 0
    for number, one in enumerate(sizes, 1):
        size += one
        if size >= BLOCK_BYTES or number == len(sizes):
            yield slice(first, number)
            first, size = number, 0


def _read_each(fd: int, starts: list[int], sizes: list[int]) -> list[bytes]:
    """Read the lines that start at some offsets, whose sizes count their newlines, without them."""
    found = [b""] * len(starts)
    close: list[int] = []
    first = end = 0
    for number in sorted(range(len(starts)), key=starts.__getitem__):
        start = starts[number]
        if start - end > _APART_BYTES or not close:
            _cut_out(found, close, starts, sizes, read_at(fd, first, end - first))
            close, first = [], start
        close.append(number)
        end = start + sizes[number] - 1
    _cut_out(found, close, starts, sizes, read_at(fd, first, end - first))
    return found


def _cut_out(
    found: list[bytes], numbers: list[int], starts: list[int], sizes: list[int], data: bytes
) -> None:
    first = starts[numbers[0]] if numbers else 0
    for number in numbers:
        start = starts[number] - first
        found[number] = data[start : start + sizes[number] - 1]
