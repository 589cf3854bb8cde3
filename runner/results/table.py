"""What a results file holds, small enough to keep for millions of lines.

A row is one line of the file: 43 bytes, and 6 to 12 to find it by its id. Knows no files;
`runner.results.scan` fills it.
"""

from array import array
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import NamedTuple

from runner.models import Status
from runner.results.index import IdIndex
from runner.results.rows import NO_ROW, Row, Rows

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

    def __init__(self, salt: bytes | None = None, words: Iterable[str] = ()) -> None:
        """Start empty; `salt` and `words` are those of a table that is to be gone on with."""
        self.packed = Rows()
        self.index = IdIndex(self.packed, salt)
        self._words = _Words(words)
        self._noted = array("I")

    def __len__(self) -> int:
        """Count the jobs, not the lines."""
        return self.index.ids

    @property
    def rows(self) -> int:
        """Count the lines."""
        return self.packed.count

    @property
    def words(self) -> list[str]:
        """The error kinds and finish reasons that its rows number."""
        return list(self._words)

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
        key = self.index.key(job_id)
        self.packed.append(
            Row(
                *key,
                digest_number(digest),
                self.index.put(*key, self.packed.count),
                offset,
                length,
                line or 0,
                _STATUSES.index(status) | (_RETRYABLE if retryable else 0),
                self._words.number(error_kind),
                self._words.number(finish_reason),
            )
        )
        self.index.grow_if_full()

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
        while row != NO_ROW and self.packed.get(row).question != question:
            row = self.packed.earlier(row)
        return None if row == NO_ROW else self.record(self.standing(row))

    def answered_since(self, job_id: str, position: int) -> bool:
        """Whether a record of the job stands at or behind a position in the file."""
        row = self.index.find(job_id)
        return row != NO_ROW and self.packed.place(row)[0] >= position

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
            row = self.packed.earlier(row)
        return 0

    def latest_rows(self) -> Iterator[int]:
        """Give the last line of every job, in the order of the file."""
        superseded = bytearray(self.rows)
        for row in range(self.rows):
            earlier = self.packed.earlier(row)
            if earlier != NO_ROW:
                superseded[earlier] = 1
        return (row for row in range(self.rows) if not superseded[row])

    def standing(self, latest: int) -> int:
        """Find the line that stands, given a job's last one."""
        answered = self.success(latest, self.packed.get(latest).question)
        return latest if answered is None else answered

    def success(self, latest: int, question: int) -> int | None:
        """Find a job's last whole answer to a question, given the job's last line."""
        number = latest
        while number != NO_ROW:
            row = self.packed.get(number)
            if row.question == question and _succeeded(row):
                return number
            number = row.earlier
        return None

    def succeeded(self, row: int) -> bool:
        """Whether a line holds a whole answer."""
        return _succeeded(self.packed.get(row))

    def line(self, row: int) -> int:
        """Give the line in the input that a record names; 0 for none."""
        return self.packed.place(row)[2]

    def place(self, row: int) -> tuple[int, int]:
        """Give offset and length of a record, without its newline."""
        return self.packed.place(row)[:2]

    def reline(self, row: int, line: int) -> None:
        """Let a record name another line of the input; 0 for none."""
        self.packed.set_place(row, *self.place(row), line)

    def record(self, row: int) -> Recorded:
        """Unpack one row."""
        packed = self.packed.get(row)
        return Recorded(
            status=_STATUSES[packed.state & _STATUS_MASK],
            error_kind=self._words.word(packed.kind),
            finish_reason=self._words.word(packed.finish),
            retryable=bool(packed.state & _RETRYABLE),
            line=packed.line or None,
            offset=packed.offset,
            length=packed.length,
            question=packed.question,
        )


def _succeeded(row: Row) -> bool:
    return row.state & _STATUS_MASK == 0


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
