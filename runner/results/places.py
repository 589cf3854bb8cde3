"""Where each record of a file stands: two bytes a record, and eight for every sixteen of them."""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from runner.results.column import Column

_TOGETHER = 16
"""A power of two, and of so many records the offset of the first is kept."""


class Places:
    """Offset and length by the record's number, from 0.

    Records follow each other, each with its newline; so only their lengths are kept, with the
    newline, and what lies between two of them where there is something else.
    """

    def __init__(self, code: str = "H") -> None:
        """Start empty; `code` says how many bytes a length takes, and grows by itself."""
        self.strides = Column(code)
        self.starts = Column("Q")
        """Offsets as if nothing lay between records."""
        self.packed = 0
        """Bytes of all records, with a newline each."""
        self.end = 0
        """The offset behind the last record's newline."""
        self._gap_rows, self._gap_bytes = array("Q"), array("q")
        """Before which records something else lies, and how much up to there."""

    def __len__(self) -> int:
        return self.strides.count

    @property
    def gapless(self) -> bool:
        """Whether nothing lies between the records, or before them."""
        return not self._gap_rows

    def extend(self, offset: int, strides: list[int]) -> None:
        """Add records that follow each other from `offset`, by their bytes with the newline."""
        if offset != self.end:
            self._note_gap(offset)
        self.end = offset + sum(strides)
        first = -len(self) % _TOGETHER
        groups = (sum(strides[at : at + _TOGETHER]) for at in range(first, len(strides), _TOGETHER))
        starts = array("Q", accumulate(groups, initial=self.packed + sum(strides[:first])))
        self.packed = starts.pop()
        self.starts.extend(starts)
        try:
            numbers = array(self.strides.code, strides)
        except OverflowError:
            self._widen()
            numbers = array(self.strides.code, strides)
        self.strides.extend(numbers)

    def append(self, offset: int, length: int) -> None:
        """Add one record; its length is without the newline."""
        stride = length + 1
        if offset != self.end:
            self._note_gap(offset)
        self.end = offset + stride
        if not self.strides.count % _TOGETHER:
            self.starts.append(self.packed)
        self.packed += stride
        try:
            self.strides.append(stride)
        except ValueError:
            self._widen()
            self.strides.append(stride)

    def __getitem__(self, row: int) -> tuple[int, int]:
        """Give offset and length of a record, without its newline."""
        first = row & -_TOGETHER
        offset = self.starts[row // _TOGETHER] + sum(self.strides.near(first, row))
        return offset + self._gap(row), self.strides[row] - 1

    def offsets(self, rows: Sequence[int]) -> list[int]:
        """Give the offsets of some records; neighbours are found together."""
        first, last = min(rows) & -_TOGETHER, max(rows)
        if last - first > _TOGETHER * len(rows):
            return [self[row][0] for row in rows]
        strides = self.strides.pick(range(first, last))
        packed = list(accumulate(strides, initial=self.starts[first // _TOGETHER]))
        return [packed[row - first] + self._gap(row) for row in rows]

    def fill(self, strides: Column, starts: Column) -> None:
        """Take over what was read from a file."""
        self.strides, self.starts = strides, starts
        if len(strides):
            self.packed = self.end = sum(self[len(strides) - 1], start=1)

    def _gap(self, row: int) -> int:
        if not self._gap_rows:
            return 0
        found = bisect_right(self._gap_rows, row)
        return self._gap_bytes[found - 1] if found else 0

    def _note_gap(self, offset: int) -> None:
        self._gap_rows.append(len(self))
        self._gap_bytes.append(offset - self.packed)

    def _widen(self) -> None:
        """Take four bytes a length from now on: a record is longer than two can tell."""
        wider = Column("I")
        for view in self.strides.views():
            wider.extend(array("I", view.tolist()))
        self.strides = wider
