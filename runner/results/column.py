"""Growing columns of numbers, in memory that the system gets back whole.

Arrays that grow side by side leave holes in the heap as large as themselves; blocks do not.
"""

import mmap
from array import array
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO

PER_BLOCK = 1 << 16
_SHIFT, _MASK = 16, PER_BLOCK - 1


def item_bytes(code: str) -> int:
    """Bytes of one number of an array's type code."""
    return array(code).itemsize


def zeros(code: str, count: int) -> "memoryview[int]":
    """Give so many numbers of an array's type code; what is never written takes no memory."""
    return memoryview(mmap.mmap(-1, count * item_bytes(code), flags=mmap.MAP_PRIVATE)).cast(code)  # type: ignore[call-overload, no-any-return] # typeshed wants the code as a literal


class Column:
    """Numbers of one type code by their place, from 0."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.count = 0
        self._blocks: list[memoryview[int]] = []

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: int) -> int:
        return self._blocks[place >> _SHIFT][place & _MASK]

    def __setitem__(self, place: int, number: int) -> None:
        self._blocks[place >> _SHIFT][place & _MASK] = number

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(view.tolist() for view in self.views())

    def append(self, number: int) -> None:
        """Add a number. Raises ValueError where it is too large, and adds nothing then."""
        place = self.count
        if place >> _SHIFT == len(self._blocks):
            self._blocks.append(zeros(self.code, PER_BLOCK))
        self._blocks[-1][place & _MASK] = number
        self.count = place + 1

    def extend(self, numbers: "array[int]") -> None:
        """Add the numbers of an array of the same type code."""
        left = memoryview(numbers)
        while left:
            start = self.count & _MASK
            if self.count >> _SHIFT == len(self._blocks):
                self._blocks.append(zeros(self.code, PER_BLOCK))
            taken, left = left[: PER_BLOCK - start], left[PER_BLOCK - start :]
            self._blocks[-1][start : start + len(taken)] = taken
            self.count += len(taken)

    def lengthen(self, count: int) -> None:
        """Make it `count` numbers long, with zeros."""
        for _ in range(len(self._blocks), -(-count // PER_BLOCK)):
            self._blocks.append(zeros(self.code, PER_BLOCK))
        self.count = count

    def near(self, start: int, end: int) -> "memoryview[int]":
        """Give the numbers from `start` to `end`, which lie in one block."""
        return self._blocks[start >> _SHIFT][start & _MASK : (start & _MASK) + end - start]

    def pick(self, places: Iterable[int]) -> list[int]:
        """Give the numbers at some places."""
        blocks = self._blocks
        return [blocks[place >> _SHIFT][place & _MASK] for place in places]

    def views(self) -> Iterator["memoryview[int]"]:
        """Give all numbers, block by block."""
        left = self.count
        for block in self._blocks:
            yield block[: min(left, PER_BLOCK)]
            left -= PER_BLOCK

    def fill(self, file: BinaryIO, count: int) -> None:
        """Read so many numbers from a file. Raises EOFError where it ends before."""
        self.lengthen(count)
        for view in self.views():
            block = view.cast("B")
            if file.readinto(block) != len(block):  # type: ignore[attr-defined] # typeshed lacks it
                raise EOFError
