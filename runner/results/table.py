"""What a results file holds, small enough to keep for millions of lines.

A row is one record of the file: 24 bytes while it is in order, 4 more where it is not, and 8 more
where its ids are looked for in another order. Knows no files; `runner.results.scan` fills it.
"""

import sys
from array import array
from collections.abc import Iterator, Sequence
from hashlib import blake2b

import msgspec

from runner.models import Status
from runner.results.column import Column
from runner.results.heads import RecordHead
from runner.results.index import IdIndex
from runner.results.places import Places
from runner.results.rows import NO_ROW, Rows
from runner.results.states import State, States

_DIGEST_BYTES = 32
_NUMBER_DIGITS = 16


class Recorded(msgspec.Struct, frozen=True):
    """What the file says of one job, without its texts."""

    status: Status
    error_kind: str | None
    finish_reason: str | None
    retryable: bool
    line: int | None
    """Its line in the input of the run that wrote it."""
    question: int
    """The digest as a number; `asks` compares it."""
    row: int
    places: Places

    @property
    def offset(self) -> int:
        """Where the record begins."""
        return self.places[self.row][0]

    @property
    def length(self) -> int:
        """Bytes of the record without its newline."""
        return self.places[self.row][1]

    def asks(self, digest: str | None) -> bool:
        """Whether the record answers this very question."""
        return self.question == digest_number(digest)


def digest_number(digest: str | None) -> int:
    """Shorten a digest to 64 bits: it is only ever compared with digests of the same id."""
    if digest is None:
        return 0
    try:
        return int(digest[:_NUMBER_DIGITS], 16) % (1 << 64)
    except ValueError:
        return int.from_bytes(blake2b(digest.encode(), digest_size=8).digest(), "big")


class ResultTable:
    """The records of a results file by job id, superseded ones included."""

    def __init__(self, salt: bytes | None = None) -> None:
        """Start empty; `salt` is that of a table that is to be gone on with."""
        self.log = Rows()
        """The records, with those that a run adds, which are found by their number only."""
        self.index = IdIndex(salt)
        self.questions = Column("Q")
        self._in_place = bytearray()
        """By row: whether the job stands in the input at the line that its record names."""
        self._elsewhere: Column | None = None
        """By row: at which other line it stands, or 0."""
        self._found: tuple[str | None, int] = (None, NO_ROW)

    @classmethod
    def restored(
        cls, salt: bytes, states: list[State], ids: int, columns: dict[str, Column]
    ) -> "ResultTable":
        """Put a table together again of what `columns` gave."""
        table = cls(salt)
        log, index = table.log, table.index
        log.places.fill(columns["strides"], columns["starts"])
        log.numbers, log.states = columns["states"], States(states)
        log.lines.fill(len(log), columns.get("lines"))
        index.fill(columns["keys"], columns["checks"], columns.get("chain"), ids)
        table.questions = columns["questions"]
        return table

    def columns(self) -> dict[str, Column]:
        """Give all that is kept of the records, where nothing has been added to the scan."""
        log, index = self.log, self.index
        found = {
            "keys": index.keys,
            "checks": index.checks,
            "chain": index.chain,
            "questions": self.questions,
            "strides": log.places.strides,
            "starts": log.places.starts,
            "lines": log.lines.column,
            "states": log.numbers,
        }
        return {name: column for name, column in found.items() if column is not None}

    def __len__(self) -> int:
        """Count the jobs, not the lines."""
        return self.index.ids

    @property
    def rows(self) -> int:
        """Count the lines that have been read from the file."""
        return self.index.rows

    def extend(self, offset: int, strides: list[int], heads: Sequence[RecordHead]) -> None:
        """Take in records that follow each other from `offset`, each so long with its newline."""
        self.log.extend(
            offset, strides, [head.line for head in heads], self.log.states.numbers(heads)
        )
        self.index.extend([head.id for head in heads])
        self.questions.extend(_numbers([head.digest for head in heads]))
        self._found = (None, NO_ROW)

    def get(self, job_id: str) -> Recorded | None:
        """Find the record that stands for a job now.

        The last line decides the digest; of that digest's lines a succeeded one stands before
        others, else the last.
        """
        row = self._find(job_id)
        return None if row == NO_ROW else self.record(self.standing(row))

    def rows_of(self, job_id: str) -> Iterator[int]:
        """Give the lines of a job, the last one first."""
        row = self._find(job_id)
        while row != NO_ROW:
            yield row
            row = self.index.earlier(row)

    def answered_since(self, job_id: str, position: int) -> bool:
        """Whether a record of the job stands at or behind a position in the file."""
        row = self._find(job_id)
        return row != NO_ROW and self.log.places[row][0] >= position

    def note_line(self, job_id: str, line: int) -> None:
        """Note where a recorded job stands in the input of this run; others are left alone."""
        row = self._find(job_id)
        if row == NO_ROW:
            return
        if row >= len(self._in_place):
            self._in_place.extend(bytes(self.rows - len(self._in_place)))
        in_place = self.log.lines[row] == line
        self._in_place[row] = in_place
        if not in_place and self._elsewhere is None:
            self._elsewhere = Column("I")
        if self._elsewhere is not None:
            self._elsewhere.lengthen(self.rows)
            self._elsewhere[row] = 0 if in_place else line

    def noted_line(self, latest: int) -> int:
        """Look up what was noted for a job, given its last line; 0 for nothing."""
        row = latest
        while row != NO_ROW:
            if row < len(self._in_place):
                if self._in_place[row]:
                    return self.log.lines[row]
                if self._elsewhere is not None and self._elsewhere[row]:
                    return self._elsewhere[row]
            row = self.index.earlier(row)
        return 0

    @property
    def settled(self) -> bool:
        """Whether each line is the only one of its job, and names where that stands now."""
        return len(self) == self.rows == self._in_place.count(1)

    def latest_rows(self) -> Iterator[int]:
        """Give the last line of every job, in the order of the file."""
        if len(self) == self.rows:
            return iter(range(self.rows))
        superseded = bytearray(self.rows)
        for row in range(self.rows):
            earlier = self.index.earlier(row)
            if earlier != NO_ROW:
                superseded[earlier] = 1
        return (row for row in range(self.rows) if not superseded[row])

    def standing(self, latest: int) -> int:
        """Find the line that stands, given a job's last one."""
        if self.log.succeeded(latest):
            return latest
        answered = self.success(latest, self.questions[latest])
        return latest if answered is None else answered

    def standing_rows(self) -> bytearray:
        """Say of each line whether it stands for its job."""
        stands = bytearray(self.rows)
        for latest in self.latest_rows():
            stands[self.standing(latest)] = 1
        return stands

    def success(self, latest: int, question: int) -> int | None:
        """Find a job's last whole answer to a question, given the job's last line."""
        row = latest
        while row != NO_ROW:
            if self.questions[row] == question and self.log.succeeded(row):
                return row
            row = self.index.earlier(row)
        return None

    def record(self, row: int) -> Recorded:
        """Unpack one row."""
        log = self.log
        return Recorded(
            *log.state(row), log.lines[row] or None, self.questions[row], row, log.places
        )

    def forget_ids(self) -> None:
        """Give back what finds jobs by their ids: from now on there are numbers only."""
        self.index.forget_ids()
        self._found = (None, NO_ROW)

    def forget_questions(self) -> None:
        """Give back what tells one question of a job from another, and where it now stands."""
        self.questions = Column("Q")
        self._in_place, self._elsewhere = bytearray(), None

    def _find(self, job_id: str) -> int:
        # A run notes each job's line and then asks for the job.
        found_id, row = self._found
        if job_id != found_id:
            row = self.index.find(job_id)
            self._found = (job_id, row)
        return row


def _numbers(digests: list[str | None]) -> "array[int]":
    """Shorten digests as `digest_number` does; those that look like one all at once."""
    try:
        data = bytes.fromhex("".join(digests))  # type: ignore[arg-type] # fails where one is None
    except (TypeError, ValueError):
        data = b""
    if len(data) != _DIGEST_BYTES * len(digests) or set(map(len, digests)) != {2 * _DIGEST_BYTES}:  # type: ignore[arg-type] # not reached where one is None
        return array("Q", map(digest_number, digests))
    numbers = array("Q", data)[:: _DIGEST_BYTES // 8]
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers
