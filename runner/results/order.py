"""In which order the records of a results file are to stand, and which of them. Reads no file.

A record has a number: those that were there before the run first, as in its table, then what the
run has added.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import compress, count, islice, tee
from operator import le

from runner.results.column import zeros
from runner.results.input_lines import InputLines
from runner.results.scan import Scan

_NO_LINE = 1 << 32
_SPARSE = 16
"""With more lines than so many a record, a place for each line takes more than a dict."""

Question = Callable[[int], int]
"""Gives the question that an added record answers, as a number."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a file in order holds."""

    rows: Sequence[int]
    """The records that stay, in their new order."""
    relined: bytearray
    """By record of before: whether it has to name another line of the input."""
    old: "array[int]"
    """Superseded successes."""
    strangers: int
    """Records of jobs that are not in the input."""
    size: int
    """Its bytes, but for longer or shorter numbers of lines."""

    def changes(self, held: Scan) -> bool:
        """Whether the file is not yet so."""
        rows = self.rows
        return (
            self.size != held.end or 1 in self.relined or any(map(le, islice(rows, 1, None), rows))
        )


def order(held: Scan, question: Question, *, unordered: bool, whole: bool) -> Order:
    """Decide, and let the table name the places in the input as the file is to name their lines.

    `runner.results.compact` says by which rules. What the table no longer needs then, it gives
    back: to place the records takes as much.
    """
    log = held.table.log
    stays, relined = _chosen(held, question, whole=whole)
    held.table.forget_questions()
    as_it_is = unordered or log.lines.column is None
    rows = in_log_order(stays) if as_it_is else in_line_order(stays, log.lines)
    size, old = log.places.packed, array("I")
    if len(rows) < len(stays):
        size = sum(compress(log.places.strides, stays))
        old.extend(row for row, stay in enumerate(stays) if not stay and log.succeeded(row))
    strangers = sum(1 for line in compress(log.lines, stays) if not line)
    return Order(rows, relined, old, strangers, size)


def _chosen(held: Scan, question: Question, *, whole: bool) -> tuple[bytearray, bytearray]:
    """Say of each record whether it stays, and of those before whether its line is another."""
    table, log, repeats = held.table, held.table.log, held.repeats
    before = table.rows
    stays, relined = bytearray(b"\1") * held.lines, bytearray(before)
    if not before or (table.settled and held.lines == before):
        return stays, relined
    stays[:before] = bytes(before)
    new = _by_line(log.lines, before)
    for latest in table.latest_rows():
        place = table.noted_line(latest)
        added = new.get(place) if place else None
        if added is None:
            row = table.standing(latest)
            if not place and not whole:
                place = repeats.places(log.lines[latest]).stop - 1 if log.lines[latest] else 0
        else:
            row = _standing(held, latest, added, question)
            stays[added] = row == added
        if row < before:
            stays[row] = 1
            relined[row] = repeats.line(place) != log.lines[row]
            if place != log.lines[row]:
                log.lines[row] = place
    return stays, relined


def _standing(held: Scan, latest: int, added: int, question: Question) -> int:
    """Choose of a job's records: the last decides the question, and a whole answer stands."""
    if held.table.log.succeeded(added):
        return added
    answered = held.table.success(latest, question(added))
    return added if answered is None else answered


def in_log_order(stays: bytearray) -> Sequence[int]:
    """Give the records that stay as they come."""
    if 0 not in stays:
        return range(len(stays))
    return array("I", compress(range(len(stays)), stays))


def in_line_order(
    stays: bytearray, lines: Iterable[int], repeat: Callable[[int], int] | None = None
) -> Sequence[int]:
    """Give the records that stay by the line they name, those of no line last.

    They are placed, because sorting takes 80 bytes a record. `lines` is gone through twice.
    `repeat` gives the order of records that name one line; without it they stay as they come.
    """
    longest = max(compress(lines, stays), default=0)
    behind = count(longest + 1)
    placed = _Placed(longest + stays.count(1), stays.count(1))
    for row, line in compress(enumerate(lines), stays):
        if not placed.put(line or next(behind), row):
            # Two jobs name one line: repeats, or the rest of a stream was not read.
            named = array("Q", (line or _NO_LINE for line in lines))
            rows = in_log_order(stays)
            if repeat is None or all(map(le, *_neighbours(named[row] for row in rows))):
                return sorted(rows, key=lambda row: named[row])
            return sorted(rows, key=lambda row: (named[row], repeat(row)))
    return placed.in_order()


def _neighbours(numbers: Iterable[int]) -> tuple[Iterable[int], Iterable[int]]:
    """Give all numbers but the last, and beside them those that follow."""
    before, behind = tee(numbers)
    return before, islice(behind, 1, None)


def _by_line(lines: InputLines, before: int) -> "_Placed":
    """Place the records that were added by the line they name."""
    added = range(before, len(lines))
    placed = _Placed(max(islice(lines, before, None), default=0), len(added))
    for row, line in zip(added, islice(lines, before, None), strict=True):
        if line:
            placed.put(line, row)
    return placed


class _Placed:
    """Records at places: numbers in a row where most places have one, else a dict."""

    def __init__(self, longest: int, records: int) -> None:
        dense = longest <= _SPARSE * records + _SPARSE
        # A place holds the record's number and 1, so that fresh memory is empty.
        self._dense = zeros("I", longest + 1) if dense else None
        self._sparse: dict[int, int] = {}

    def put(self, place: int, row: int) -> bool:
        """Place a record; say whether the place was free."""
        if self._dense is not None:
            free = not self._dense[place]
            self._dense[place] = row + 1
        else:
            free = place not in self._sparse
            self._sparse[place] = row
        return free

    def get(self, place: int) -> int | None:
        if self._dense is None:
            return self._sparse.get(place)
        return self._dense[place] - 1 if place < len(self._dense) and self._dense[place] else None

    def in_order(self) -> Sequence[int]:
        if self._dense is None:
            return array("I", (self._sparse[place] for place in sorted(self._sparse)))
        rows, found = self._dense, 0
        for number in rows:  # in place: as much again would double what this takes
            if number:
                rows[found] = number - 1
                found += 1
        return rows[:found]
