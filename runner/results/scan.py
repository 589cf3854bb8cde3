"""Read a results file's lines into a table, and mend its end before a run appends to it."""

import os
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import msgspec

from runner.models import Result, Status
from runner.results import checkpoint
from runner.results.added import Added
from runner.results.durable import append_synced, cannot_write
from runner.results.lines import Line, Lines, pieces_at
from runner.results.paths import ResultPaths
from runner.results.table import ResultTable


class _Error(msgspec.Struct):
    kind: str | None = None
    retryable: bool = False


class RecordHead(msgspec.Struct):
    """The few fields that decide what becomes of a job; the rest of the line is skipped."""

    v: int
    id: str
    digest: str | None
    status: Status
    line: int | None = None
    finish_reason: str | None = None
    error: _Error | None = None


@dataclass(slots=True, kw_only=True)
class Scan:
    """What stands in a results file: what was read of it, and what this run has added."""

    table: ResultTable
    size: int
    """Bytes up to which the file consisted of whole lines when it was read."""
    torn: int
    """Bytes of a last line that was cut while it was written."""
    unended: bool
    """The last line is a whole record that only lacks its newline."""
    corrupt: tuple[tuple[int, int], ...]
    """Offset and length of lines that are no records."""
    added: Added = field(default_factory=Added)
    """What this run has written."""
    end: int = field(init=False)
    """Where the file ends now."""

    def __post_init__(self) -> None:
        """Begin with nothing added."""
        self.end = self.size

    def written(self, result: Result, offset: int, length: int) -> None:
        """Take in a record that this run has appended."""
        self.added.add(offset, length, result.line, result.status)
        self.end = offset + length + 1

    @property
    def lines(self) -> int:
        """Count the records, superseded ones included."""
        return self.table.rows + self.added.count

    def place(self, row: int) -> tuple[int, int]:
        """Give offset and length of a record: first those of the table, then those added."""
        before = self.table.rows
        return self.table.place(row) if row < before else self.added.place(row - before)

    def line(self, row: int) -> int:
        """Give the line in the input that a record names; 0 for none."""
        before = self.table.rows
        return self.table.line(row) if row < before else self.added.line(row - before)

    def succeeded(self, row: int) -> bool:
        """Whether a record holds a whole answer."""
        before = self.table.rows
        return self.table.succeeded(row) if row < before else self.added.succeeded(row - before)


_head = msgspec.json.Decoder(RecordHead)


def head_of(line: bytes) -> RecordHead | None:
    """Decode what decides; None if the line is no record of ours."""
    try:
        head = _head.decode(line)
        # What is passed over must be text, too, or whoever reads the whole record fails.
        if not line.isascii():
            line.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    # The table counts lines from 1 in 32 bits.
    return head if head.line is None or 0 < head.line < 1 << 32 else None


def nothing() -> Scan:
    """Say what stands in a file that is not there."""
    return Scan(table=ResultTable(), size=0, torn=0, unended=False, corrupt=())


def scan(path: Path) -> Scan:
    """Read a results file that may be being written; a missing one is empty."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return nothing()
    try:
        return scan_fd(fd)
    finally:
        os.close(fd)


def scan_fd(fd: int, table: ResultTable | None = None, start: int = 0) -> Scan:
    """Read an open results file, so that its records can be read from the same file later.

    A `table` that tells of everything before `start` is gone on with.
    """
    table, lines = ResultTable() if table is None else table, Lines(fd, start)
    corrupt = [
        (line.offset, line.length)
        for line in lines
        if not _take(table, line) and (line.data is None or line.data.strip())
    ]
    unended = _take(table, lines.tail)
    return Scan(
        table=table,
        size=lines.end,
        torn=0 if unended else lines.tail.length,
        unended=unended,
        corrupt=tuple(corrupt),
    )


def repair(paths: ResultPaths) -> Scan:
    """Scan, and leave a file that ends with a whole line. Only the holder of the lock may do so.

    A torn last line is kept in `.torn` before it is cut. Lines in the middle that are no records
    stay until the file is put in order. Of a large file only what its checkpoint does not tell of
    is read. Raises WriteError.
    """
    try:
        paths.temporary.unlink(missing_ok=True)
        found = _scan_again(paths)
        if found.torn:
            _cut(paths, found)
        elif found.unended:
            append_synced(paths.results, [b"\n"])
            offset, length = found.table.place(found.lines - 1)
            found.size = found.end = offset + length + 1
            found.unended = False
    except OSError as error:
        raise cannot_write(paths.shown, error) from error
    return found


def _scan_again(paths: ResultPaths) -> Scan:
    try:
        fd = os.open(paths.results, os.O_RDONLY)
    except FileNotFoundError:
        return nothing()
    try:
        table, start = checkpoint.load(paths.checkpoint, fd) or (None, 0)
        known = 0 if table is None else table.rows
        found = scan_fd(fd, table, start)
        worth = found.lines - known >= checkpoint.WORTH_ROWS
        if worth and not (found.unended or found.corrupt):
            checkpoint.save(paths.checkpoint, fd, found.table, found.size)
        return found
    finally:
        os.close(fd)


def _take(table: ResultTable, line: Line) -> bool:
    head = head_of(line.data) if line.data else None
    if head is None:
        return False
    error = head.error
    table.add(
        head.id,
        head.digest,
        head.status,
        offset=line.offset,
        length=line.length,
        line=head.line,
        error_kind=error.kind if error else None,
        finish_reason=head.finish_reason,
        retryable=error.retryable if error else False,
    )
    return True


def _cut(paths: ResultPaths, found: Scan) -> None:
    fd = os.open(paths.results, os.O_RDWR)
    try:
        append_synced(paths.torn, chain(pieces_at(fd, found.size, found.torn), [b"\n"]))
        os.ftruncate(fd, found.size)
        os.fsync(fd)
    finally:
        os.close(fd)
