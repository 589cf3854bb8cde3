"""Which line of the input each record names: four bytes, and none while a file is in order."""

from array import array
from collections.abc import Iterator

from runner.results.column import Column


class InputLines:
    """Lines by the record's number, counted from 1; 0 for none."""

    def __init__(self) -> None:
        self._count = 0
        self.column: Column | None = None
        """None while record after record names line after line, from the first."""

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: int) -> int:
        return row + 1 if self.column is None else self.column[row]

    def __setitem__(self, row: int, line: int) -> None:
        if self[row] != line:
            self._kept()[row] = line

    def __iter__(self) -> Iterator[int]:
        return iter(range(1, self._count + 1) if self.column is None else self.column)

    def append(self, line: int) -> None:
        """Add the line of the next record."""
        if self.column is not None or line != self._count + 1:
            self._kept().append(line)
        self._count += 1

    def extend(self, lines: list[int]) -> None:
        """Add the lines of the next records."""
        count = self._count + len(lines)
        if self.column is not None or lines != list(range(self._count + 1, count + 1)):
            self._kept().extend(array("I", lines))
        self._count = count

    def fill(self, count: int, column: Column | None) -> None:
        """Take over what was read from a file."""
        self._count, self.column = count, column

    def _kept(self) -> Column:
        if self.column is None:
            self.column = Column("I")
            self.column.extend(array("I", range(1, self._count + 1)))
        return self.column
