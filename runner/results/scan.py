"""Read a results file's lines into a table, and mend its end before a run appends to it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from zlib import crc32

from runner.models import Result
from runner.repeats import ONCE, Repeats
from runner.results import checkpoint
from runner.results.checkpoint import Known
from runner.results.durable import append_synced, cannot_write
from runner.results.heads import HeadsOf, heads_of
from runner.results.lines import Block, Lines, pieces_at
from runner.results.paths import ResultPaths
from runner.results.states import PLAIN
from runner.results.table import ResultTable


@dataclass(slots=True, kw_only=True)
class Scan:
    """What stands in a results file: what was read of it, and what this run has added."""

    table: ResultTable
    size: int
    """Bytes up to which the file consisted of whole lines when it was read."""
    crc: int
    """CRC-32 of those bytes; 0 for whoever only reads."""
    torn: int
    """Bytes of a last line that was cut while it was written."""
    unended: bool
    """The last line is a whole record that only lacks its newline."""
    corrupt: tuple[tuple[int, int], ...]
    """Offset and length of lines that are no records."""
    repeats: Repeats = ONCE
    """How often this run asks each job of its input."""
    end: int = field(init=False)
    """Where the file ends now."""

    def __post_init__(self) -> None:
        """Begin with nothing added."""
        self.end = self.size

    @property
    def lines(self) -> int:
        """Count the records, superseded ones included."""
        return len(self.table.log)

    def written(self, result: Result, offset: int, length: int) -> None:
        """Take in a record that this run has appended.

        In one run each job is recorded once, and each has a place of its own: that stands for its
        id, of which nothing is kept.
        """
        place = self.repeats.place_of(result.line, result.id)
        self.table.log.append(offset, length, place, PLAIN[result.status])
        self.end = offset + length + 1


def nothing() -> Scan:
    """Say what stands in a file that is not there."""
    return Scan(table=ResultTable(), size=0, crc=0, torn=0, unended=False, corrupt=())


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


def scan_fd(fd: int, known: Known | None = None, read: HeadsOf = heads_of) -> Scan:
    """Read an open results file, so that its records can be read from the same file later.

    What is `known` of its beginning is not read but gone on with, its CRC-32 included. `read` may
    look at more of each record than its head: all that it gives become rows, in that order.
    """
    table, start, crc = known or _nothing_known()
    lines = Lines(fd, start)
    corrupt: list[tuple[int, int]] = []
    for block in lines:
        if known is not None:
            crc = crc32(memoryview(block.data)[: block.size], crc)
        heads = read(block.lines, block.data)
        if heads:
            table.extend(block.offset, list(map(len, block.lines)), heads)
        else:
            corrupt += _take_apart(table, block, read)
    last = read([lines.tail], lines.tail)
    if last:
        table.extend(lines.end, [lines.torn + 1], last)
    return Scan(
        table=table,
        size=lines.end,
        crc=crc,
        torn=0 if last else lines.torn,
        unended=bool(last),
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
            found.size = found.end = found.table.log.places.end
            found.unended = False
    except OSError as error:
        raise cannot_write(paths.shown, error) from error
    if found.table.log.lines.column is None:
        # What is in order is most likely asked for in order.
        found.table.index.forget_slots()
    return found


def _nothing_known() -> Known:
    return Known(ResultTable(), size=0, crc=0)


def _scan_again(paths: ResultPaths) -> Scan:
    """Scan, and keep what would save the next run some time."""
    try:
        fd = os.open(paths.results, os.O_RDONLY)
    except FileNotFoundError:
        return nothing()
    try:
        read = checkpoint.identity(fd)
        known = checkpoint.load(paths.checkpoint, fd) or _nothing_known()
        before = known.table.rows
        found = scan_fd(fd, known)
        worth = found.lines - before >= checkpoint.WORTH_ROWS
        if worth and not found.unended and checkpoint.identity(fd) == read:
            checkpoint.save(paths.checkpoint, read, Known(found.table, found.size, found.crc))
        return found
    finally:
        os.close(fd)


def _take_apart(table: ResultTable, block: Block, read: HeadsOf) -> Iterator[tuple[int, int]]:
    """Take in those lines of a block that are records; give the place of those that are none."""
    if not block.lines:
        yield block.offset, block.size - 1
    offset = block.offset
    for line in block.lines:
        heads = read([line], line)
        if heads:
            table.extend(offset, [len(line)], heads)
        elif line.strip():
            yield offset, len(line) - 1
        offset += len(line)


def _cut(paths: ResultPaths, found: Scan) -> None:
    fd = os.open(paths.results, os.O_RDWR)
    try:
        append_synced(paths.torn, chain(pieces_at(fd, found.size, found.torn), [b"\n"]))
        os.ftruncate(fd, found.size)
        os.fsync(fd)
    finally:
        os.close(fd)
