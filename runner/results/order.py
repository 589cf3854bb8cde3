"""In which order the lines of a results file are to stand, and which of them. Pure."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass

from runner.results.scan import Scan
from runner.results.table import ResultTable

_NO_LINE = 1 << 32
_SPARSE = 16
"""With more lines than so many a record, a place for each line takes more than sorting."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a file in order holds."""

    rows: "array[int]"
    """The lines of the log that stay, in their new order."""
    relined: bytearray
    """By line of the log: whether the record has to name another line of the input."""
    old: "array[int]"
    """Superseded successes."""
    strangers: int
    """Records of jobs that are not in the input."""

    def changes(self, held: Scan) -> bool:
        """Whether the file is not yet so."""
        rows = self.rows
        return (
            self.size(held.table) != held.end
            or any(rows[i] < rows[i - 1] for i in range(1, len(rows)))
            or any(self.relined)
        )

    def size(self, table: ResultTable) -> int:
        """Give its bytes, but for longer or shorter numbers of lines."""
        return sum(table.place(row)[1] + 1 for row in self.rows)


def order(held: Scan, *, unordered: bool, whole: bool) -> Order:
    """Decide, and let the table name the lines of the input as the file is to name them.

    `runner.results.compact` says by which rules.
    """
    table = held.table
    stays, relined = bytearray(table.rows), bytearray(table.rows)
    strangers = 0
    for latest in table.latest_rows():
        line = table.noted_line(latest)
        if not line and (not whole or table.place(latest)[0] >= held.size):
            line = table.line(latest)
        row = table.standing(latest)
        stays[row] = 1
        strangers += not line
        if line != table.line(row):
            relined[row] = 1
            table.reline(row, line)
    old = (row for row in range(table.rows) if not stays[row] and table.succeeded(row))
    return Order(
        in_log_order(stays) if unordered else by_line(stays, table.line),
        relined,
        array("i", old),
        strangers,
    )


def in_log_order(stays: bytearray) -> "array[int]":
    """Give the rows that stay as they come."""
    return array("i", (row for row, stay in enumerate(stays) if stay))


def by_line(stays: bytearray, line_of: Callable[[int], int]) -> "array[int]":
    """Give the rows that stay by the line they name, those of no line last.

    They are placed, because sorting takes 80 bytes a row.
    """
    longest = max((line_of(row) for row, stay in enumerate(stays) if stay), default=0)
    strangers = array("i")
    if longest > _SPARSE * len(stays) + _SPARSE:
        return _sorted(stays, line_of)
    placed = array("i", [-1]) * (longest + 1)
    for row, stay in enumerate(stays):
        if not stay:
            continue
        line = line_of(row)
        if not line:
            strangers.append(row)
        elif placed[line] >= 0:  # two jobs name one line: the rest of a stream was not read
            return _sorted(stays, line_of)
        else:
            placed[line] = row
    count = 0
    for row in placed:
        if row >= 0:
            placed[count] = row
            count += 1
    del placed[count:]
    return placed + strangers if strangers else placed


def _sorted(stays: bytearray, line_of: Callable[[int], int]) -> "array[int]":
    rows = in_log_order(stays)
    return array("i", sorted(rows, key=lambda row: line_of(row) or _NO_LINE))
