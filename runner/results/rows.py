"""Fixed-size rows packed into blocks: no object per row, and no copying while they grow.

Arrays that grow side by side leave holes in the heap as large as themselves; blocks do not.
"""

from collections.abc import Iterator
from struct import Struct
from typing import BinaryIO, NamedTuple

NO_ROW = -1


class Row(NamedTuple):
    """One line of a results file, in numbers."""

    hashed: int
    check: int
    """With `hashed`, what stands for the job's id."""
    question: int
    earlier: int
    """The row before of the same job, or NO_ROW."""
    offset: int
    length: int
    line: int
    """In the input; 0 for none."""
    state: int
    kind: int
    finish: int


_ROW = Struct("<qIQiqIIBBB")
_KEY = Struct("<qI")
_EARLIER, _EARLIER_AT = Struct("<i"), 20
_PLACE, _PLACE_AT = Struct("<qII"), 24
_PER_BLOCK = 4096


class Rows:
    """Rows by number, from 0."""

    size = _ROW.size
    """Bytes of one row."""

    def __init__(self) -> None:
        self.count = 0
        self._blocks: list[bytearray] = []

    def append(self, row: Row) -> None:
        """Add the next row."""
        if self.count % _PER_BLOCK == 0:
            self._blocks.append(bytearray(_PER_BLOCK * _ROW.size))
        _ROW.pack_into(self._blocks[-1], self.count % _PER_BLOCK * _ROW.size, *row)
        self.count += 1

    def get(self, number: int) -> Row:
        """Unpack a row."""
        return Row(*_ROW.unpack_from(*self._at(number)))

    def key(self, number: int) -> tuple[int, int]:
        """Unpack what stands for the job's id."""
        hashed, check = _KEY.unpack_from(*self._at(number))
        return hashed, check

    def earlier(self, number: int) -> int:
        """Unpack the row before of the same job."""
        block, start = self._at(number)
        earlier: int = _EARLIER.unpack_from(block, start + _EARLIER_AT)[0]
        return earlier

    def place(self, number: int) -> tuple[int, int, int]:
        """Unpack offset, length and line."""
        block, start = self._at(number)
        offset, length, line = _PLACE.unpack_from(block, start + _PLACE_AT)
        return offset, length, line

    def set_place(self, number: int, offset: int, length: int, line: int) -> None:
        """Change offset, length and line."""
        block, start = self._at(number)
        _PLACE.pack_into(block, start + _PLACE_AT, offset, length, line)

    def blocks(self) -> Iterator[memoryview]:
        """Give the bytes of all rows."""
        left = self.count
        for block in self._blocks:
            yield memoryview(block)[: min(left, _PER_BLOCK) * _ROW.size]
            left -= _PER_BLOCK

    def fill(self, file: BinaryIO, count: int) -> None:
        """Read so many rows from a file. Raises EOFError where it ends before."""
        self._blocks = [bytearray(_PER_BLOCK * _ROW.size) for _ in range(0, count, _PER_BLOCK)]
        self.count = count
        for block in self.blocks():
            if file.readinto(block) != len(block):  # type: ignore[attr-defined] # typeshed lacks it
                raise EOFError

    def _at(self, number: int) -> tuple[bytearray, int]:
        return self._blocks[number // _PER_BLOCK], number % _PER_BLOCK * _ROW.size
