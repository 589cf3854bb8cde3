"""What a results file holds, small enough to keep for millions of lines.

A row is one line of the file. Ids and digests are kept as numbers, the rest in packed arrays:
about 55 bytes a line. Knows no files; `runner.results.scan` fills it, and goes on filling it with
what a run writes.
"""

from array import array
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import NamedTuple

from runner.models import Status
from runner.results.index import NO_ROW, IdIndex

_STATUSES: tuple[Status, ...] = ("succeeded", "interrupted", "failed")
_RETRYABLE = 4
_STATUS_MASK = 3


class Recorded(NamedTuple):
    """What the file says of one job, without its texts."""

    status: Status
    error_kind: str | None
    finish_reason: str | None
    retryable: bool
    line: int | None
    """Its line in the input of the run that wrote it."""
    offset: int
    length: int
    """Bytes of the record without its newline."""
    question: int
    """The digest as a number; `asks` compares it."""

    def asks(self, digest: str | None) -> bool:
        """Whether the record answers this very question."""
        return self.question == digest_number(digest)


def digest_number(digest: str | None) -> int:
    """Shorten a digest to 64 bits: it is only ever compared with digests of the same id."""
    if digest is None:
        return 0
    try:
        return int(digest[:16], 16)
    except ValueError:
        return int.from_bytes(blake2b(digest.encode(), digest_size=8).digest(), "big")


class ResultTable:
    """The lines of a results file by job id, superseded ones included."""

    def __init__(self, index: IdIndex | None = None, words: Iterable[str] = ()) -> None:
        """Start empty; `runner.results.packed` fills the columns of a table that it unpacks."""
        self.index = index or IdIndex()
        self._offset = array("q")
        self._length = array("I")
        self._line = array("I")
        self._question = array("Q")
        self._earlier = array("i")
        self._state = array("B")
        self._kind = array("B")
        self._finish = array("B")
        self._words = _Words(words)
        self._noted = array("I")

    def __len__(self) -> int:
        """Count the jobs, not the lines."""
        return self.index.ids

    @property
    def earlier(self) -> "array[int]":
        """By line: the line before of the same job, or NO_ROW."""
        return self._earlier

    @property
    def words(self) -> list[str]:
        """The error kinds and finish reasons that its columns number."""
        return list(self._words)

    @property
    def lines(self) -> "array[int]":
        """By line of the file: the line in the input that the record names; 0 for none."""
        return self._line

    def columns(self) -> "tuple[array[int], ...]":
        """Give what holds one entry a line and no number of another line."""
        return (
            self._offset,
            self._length,
            self._line,
            self._question,
            self._state,
            self._kind,
            self._finish,
            self.index.hashes,
            self.index.checks,
        )

    @property
    def rows(self) -> int:
        """Count the lines."""
        return len(self._offset)

    def add(
        self,
        job_id: str,
        digest: str | None,
        status: Status,
        *,
        offset: int,
        length: int,
        line: int | None = None,
        error_kind: str | None = None,
        finish_reason: str | None = None,
        retryable: bool = False,
    ) -> None:
        """Take in the next line of the file."""
        self._earlier.append(self.index.put(job_id))
        self._offset.append(offset)
        self._length.append(length)
        self._line.append(line or 0)
        self._question.append(digest_number(digest))
        self._state.append(_STATUSES.index(status) | (_RETRYABLE if retryable else 0))
        self._kind.append(self._words.number(error_kind))
        self._finish.append(self._words.number(finish_reason))

    def get(self, job_id: str) -> Recorded | None:
        """Find the record that stands for a job now.

        The last line decides the digest; of that digest's lines a succeeded one stands before
        others, else the last.
        """
        row = self.index.find(job_id)
        return None if row == NO_ROW else self.record(self.standing(row))

    def best(self, job_id: str, digest: str) -> Recorded | None:
        """Find the record that stands for one question of a job, asked now or earlier."""
        question = digest_number(digest)
        row = self.index.find(job_id)
        while row != NO_ROW and self._question[row] != question:
            row = self._earlier[row]
        return None if row == NO_ROW else self.record(self.standing(row))

    def answered_since(self, job_id: str, position: int) -> bool:
        """Whether a record of the job stands at or behind a position in the file."""
        row = self.index.find(job_id)
        return row != NO_ROW and self._offset[row] >= position

    def note_line(self, job_id: str, line: int) -> None:
        """Note where a recorded job stands in the input of this run; others are left alone."""
        row = self.index.find(job_id)
        if row == NO_ROW:
            return
        if row >= len(self._noted):
            self._noted.frombytes(bytes(4 * (self.rows - len(self._noted))))
        self._noted[row] = line

    def noted_line(self, latest: int) -> int:
        """Look up what was noted for a job, given its last line; 0 for nothing."""
        row = latest
        while row != NO_ROW:
            if row < len(self._noted) and self._noted[row]:
                return self._noted[row]
            row = self._earlier[row]
        return 0

    def latest_rows(self) -> Iterator[int]:
        """Give the last line of every job, in the order of the file."""
        superseded = bytearray(self.rows)
        for earlier in self._earlier:
            if earlier != NO_ROW:
                superseded[earlier] = 1
        return (row for row in range(self.rows) if not superseded[row])

    def standing(self, latest: int) -> int:
        """Find the line that stands, given a job's last one."""
        question, row = self._question[latest], latest
        while row != NO_ROW:
            if self._question[row] == question and self.succeeded(row):
                return row
            row = self._earlier[row]
        return latest

    def succeeded(self, row: int) -> bool:
        """Whether a line holds a whole answer."""
        return self._state[row] & _STATUS_MASK == 0

    def line(self, row: int) -> int:
        """Give the line in the input that a record names; 0 for none."""
        return self._line[row]

    def reline(self, row: int, line: int) -> None:
        """Let a record name another line of the input; 0 for none."""
        self._line[row] = line

    def move(self, row: int, offset: int, length: int) -> None:
        """Take in that a record stands elsewhere now."""
        self._offset[row], self._length[row] = offset, length

    def place(self, row: int) -> tuple[int, int]:
        """Give offset and length of a record, without its newline."""
        return self._offset[row], self._length[row]

    def record(self, row: int) -> Recorded:
        """Unpack one row."""
        state = self._state[row]
        return Recorded(
            status=_STATUSES[state & _STATUS_MASK],
            error_kind=self._words.word(self._kind[row]),
            finish_reason=self._words.word(self._finish[row]),
            retryable=bool(state & _RETRYABLE),
            line=self._line[row] or None,
            offset=self._offset[row],
            length=self._length[row],
            question=self._question[row],
        )


class _Words:
    """The few error kinds and finish reasons of a file, each as one byte."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words: list[str | None] = [None]
        self._numbers: dict[str | None, int] = {None: 0}
        for word in words:
            self.number(word)

    def __iter__(self) -> Iterator[str]:
        return (word for word in self._words if word is not None)

    def number(self, word: str | None) -> int:
        number = self._numbers.get(word)
        if number is None:
            if len(self._words) > 255:  # more words than the schema has: no file of ours
                return 0
            number = self._numbers[word] = len(self._words)
            self._words.append(word)
        return number

    def word(self, number: int) -> str | None:
        return self._words[number]
