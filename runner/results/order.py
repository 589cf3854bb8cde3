"""In which order the records of a results file are to stand, and which of them. Reads no file.

A record has a number: those that were there before the run first, as in its table, then what the
run has added.
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass

from runner.results.scan import Scan

_NO_LINE = 1 << 32
_NONE = -1
_SPARSE = 16
"""With more lines than so many a record, a place for each line takes more than a dict."""

Question = Callable[[int], int]
"""Gives the question that an added record answers, as a number."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a file in order holds."""

    rows: "array[int]"
    """The records that stay, in their new order."""
    relined: bytearray
    """By record of before: whether it has to name another line of the input."""
    old: "array[int]"
    """Superseded successes."""
    strangers: int
    """Records of jobs that are not in the input."""

    def changes(self, held: Scan) -> bool:
        """Whether the file is not yet so."""
        rows = self.rows
        return (
            self.size(held) != held.end
            or any(rows[i] < rows[i - 1] for i in range(1, len(rows)))
            or any(self.relined)
        )

    def size(self, held: Scan) -> int:
        """Give its bytes, but for longer or shorter numbers of lines."""
        return sum(held.place(row)[1] + 1 for row in self.rows)


def order(held: Scan, question: Question, *, unordered: bool, whole: bool) -> Order:
    """Decide, and let the table name the lines of the input as the file is to name them.

    `runner.results.compact` says by which rules.
    """
    before = held.table.rows
    stays, relined = bytearray(before), bytearray(before)
    stays += b"\1" * held.added.count
    new = _by_line(held)
    for latest in held.table.latest_rows():
        line = held.table.noted_line(latest)
        added = new.get(line, _NONE) if line else _NONE
        if added == _NONE:
            row = held.table.standing(latest)
            line = line or (0 if whole else held.table.line(latest))
        else:
            row = _standing(held, latest, added, question)
            stays[added] = row == added
        if row < before:
            stays[row] = 1
            if line != held.table.line(row):
                relined[row] = 1
                held.table.reline(row, line)
    rows = in_log_order(stays) if unordered else in_line_order(stays, held.line)
    old = (row for row, stay in enumerate(stays) if not stay and held.succeeded(row))
    strangers = sum(1 for row in rows if not held.line(row))
    return Order(rows, relined, array("i", old), strangers)


def _standing(held: Scan, latest: int, added: int, question: Question) -> int:
    """Choose of a job's records: the last decides the question, and a whole answer stands."""
    if held.succeeded(added):
        return added
    answered = held.table.success(latest, question(added))
    return added if answered is None else answered


def _by_line(held: Scan) -> "_Places":
    numbers = range(held.table.rows, held.lines)
    places = _Places(max((held.line(number) for number in numbers), default=0), len(numbers))
    for number in numbers:
        if line := held.line(number):
            places.put(line, number)
    return places


def in_log_order(stays: bytearray) -> "array[int]":
    """Give the records that stay as they come."""
    return array("i", (row for row, stay in enumerate(stays) if stay))


def in_line_order(stays: bytearray, line_of: Callable[[int], int]) -> "array[int]":
    """Give the records that stay by the line they name, those of no line last.

    They are placed, because sorting takes 80 bytes a record.
    """
    longest = max((line_of(row) for row, stay in enumerate(stays) if stay), default=0)
    places, strangers = _Places(longest, len(stays)), array("i")
    for row, stay in enumerate(stays):
        if not stay:
            continue
        line = line_of(row)
        if not line:
            strangers.append(row)
        elif places.get(line, _NONE) != _NONE:
            # Two jobs name one line: the rest of a stream was not read.
            rows = in_log_order(stays)
            return array("i", sorted(rows, key=lambda row: line_of(row) or _NO_LINE))
        else:
            places.put(line, row)
    return places.in_order() + strangers


class _Places:
    """Records by line: an array where most lines have one, else a dict."""

    def __init__(self, longest: int, count: int) -> None:
        dense = longest <= _SPARSE * count + _SPARSE
        self._dense = array("i", [_NONE]) * (longest + 1) if dense else None
        self._sparse: dict[int, int] = {}

    def put(self, line: int, row: int) -> None:
        if self._dense is None:
            self._sparse[line] = row
        else:
            self._dense[line] = row

    def get(self, line: int, default: int) -> int:
        if self._dense is None:
            return self._sparse.get(line, default)
        return self._dense[line] if line < len(self._dense) else default

    def in_order(self) -> "array[int]":
        if self._dense is None:
            return array("i", (self._sparse[line] for line in sorted(self._sparse)))
        rows = self._dense
        count = 0
        for row in rows:  # in place: a second array would double what this takes
            if row != _NONE:
                rows[count] = row
                count += 1
        del rows[count:]
        return rows
