"""Put a finished file in order: one line a job, in input order, replaced in one step.

The log is good as it is, so that whatever keeps us from improving it is no failure: it is said,
and the file stays. `kill -9` at any moment leaves the old file or the new one.
"""

import os
import re
import stat
from array import array
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runner.results.durable import append_synced, sync_folder, write_all
from runner.results.lines import BLOCK_BYTES, Lines, read_at
from runner.results.paths import ResultPaths
from runner.results.scan import Scan, scan_fd
from runner.results.table import ResultTable

_NO_LINE = 1 << 32
_SPARSE = 16
"""With more lines than so many a record, a place for each line takes more than sorting."""
_SPARE_BYTES = 64 * 1024
_LINE_FIELD = re.compile(
    rb'\{"v":\d+,"id":"(?:[^"\\]|\\.)*","digest":(?:null|"[^"\\]*"),"line":(null|\d+),'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """What putting the file in order came to."""

    rewritten: bool
    left_because: str | None = None
    """Why the file stays a log although it could be put in order; None where all is well."""
    strangers: int = 0
    """Records of jobs that are not in the input (any more); they stand last."""
    superseded: int = 0
    """Lines that another line of the same job has replaced."""
    moved: int = 0
    """Successes among those, kept in `.old.jsonl`."""
    corrupt: int = 0
    """Lines that were no records, kept in `.torn`."""


@dataclass(frozen=True, slots=True)
class _Plan:
    rows: "array[int]"
    """The lines of the file that stay, in their new order."""
    line_of: "array[int]"
    """By line of the file: the job's line in the input; 0 for strangers."""
    old: "array[int]"
    """Superseded successes."""

    def changes(self, found: Scan) -> bool:
        table, rows = found.table, self.rows
        return (
            self.size(table) != found.size
            or any(rows[i] < rows[i - 1] for i in range(1, len(rows)))
            or any(table.line(row) != self.line_of[row] for row in rows)
        )

    def size(self, table: ResultTable) -> int:
        return sum(table.place(row)[1] + 1 for row in self.rows)


def compact(
    paths: ResultPaths, before: Scan, *, unordered: bool = False, whole: bool = True
) -> Compacted:
    """Leave one line a job, in input order (`unordered`: in that of the log), strangers last.

    `before` is the scan at the start of this run. A job's line is the one noted in its table,
    else what a record of this run says; other records are strangers, whose `line` becomes null,
    unless `whole` is false: the rest of the input was not read, and may hold their jobs.
    Replaced successes go to the old file first. Only the holder of the lock may call it, when
    nothing is appended any more and the journal is closed.
    """
    try:
        fd = os.open(paths.results, os.O_RDONLY)
    except FileNotFoundError:
        return Compacted(rewritten=False)
    try:
        found = scan_fd(fd)
        plan = _plan(found.table, before, unordered=unordered, whole=whole)
        needed = plan.changes(found)
        left_because = _rewrite(fd, paths, found, plan) if needed else None
        return Compacted(
            rewritten=needed and left_because is None,
            left_because=left_because,
            strangers=sum(1 for row in plan.rows if not plan.line_of[row]),
            superseded=found.lines - len(plan.rows),
            moved=len(plan.old),
            corrupt=len(found.corrupt),
        )
    finally:
        os.close(fd)


def _plan(table: ResultTable, before: Scan, *, unordered: bool, whole: bool) -> _Plan:
    line_of = array("I", bytes(4 * table.rows))
    stays = bytearray(table.rows)
    for latest in table.latest_rows():
        line = before.table.noted_line(table.key(latest))
        if not line and (not whole or table.place(latest)[0] >= before.size):
            line = table.line(latest)
        row = table.standing(latest)
        stays[row] = 1
        line_of[row] = line
    rows = array("i", (row for row in range(table.rows) if stays[row]))
    if not unordered:
        rows = _by_line(rows, line_of)
    old = (row for row in range(table.rows) if not stays[row] and table.succeeded(row))
    return _Plan(rows, line_of, array("i", old))


def _by_line(rows: "array[int]", line_of: "array[int]") -> "array[int]":
    """Order rows by line, strangers last: by placing them, as sorting takes 80 bytes a row."""
    longest = max(line_of, default=0)
    if longest > _SPARSE * len(rows) + _SPARSE:
        return _sorted(rows, line_of)
    placed, strangers = array("i", [-1]) * (longest + 1), array("i")
    for row in rows:
        line = line_of[row]
        if not line:
            strangers.append(row)
        elif placed[line] >= 0:  # two jobs name one line: the rest of a stream was not read
            return _sorted(rows, line_of)
        else:
            placed[line] = row
    return array("i", (row for row in placed if row >= 0)) + strangers


def _sorted(rows: "array[int]", line_of: "array[int]") -> "array[int]":
    return array("i", sorted(rows, key=lambda row: line_of[row] or _NO_LINE))


def _rewrite(fd: int, paths: ResultPaths, found: Scan, plan: _Plan) -> str | None:
    """Replace the file; return why it could not be done."""
    try:
        room = os.statvfs(paths.results.parent)
        if room.f_bavail * room.f_frsize < plan.size(found.table) + _SPARE_BYTES:
            return "the disk has too little room for a second copy"
        _write_ordered(fd, paths.temporary, found.table, plan)
        _set_aside(fd, paths, found, plan)
        paths.temporary.replace(paths.results)
        sync_folder(paths.results)
    except OSError as error:
        with suppress(OSError):  # what remains of it is removed by the next run
            paths.temporary.unlink(missing_ok=True)
        return f"the copy could not be written ({error.strerror or error})"
    return None


def _write_ordered(fd: int, target: Path, table: ResultTable, plan: _Plan) -> None:
    out = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        status, mine = os.fstat(fd), os.fstat(out)
        if (status.st_uid, status.st_gid) != (mine.st_uid, mine.st_gid):
            os.fchown(out, status.st_uid, status.st_gid)
        os.fchmod(out, stat.S_IMODE(status.st_mode))
        for block in _blocks(_ordered(fd, table, plan)):
            write_all(out, block)
        os.fsync(out)
    finally:
        os.close(out)


def _ordered(fd: int, table: ResultTable, plan: _Plan) -> Iterator[bytes]:
    for row in plan.rows:
        record = read_at(fd, *table.place(row))
        line = plan.line_of[row]
        yield record if table.line(row) == line else _with_line(record, line)


def _with_line(record: bytes, line: int) -> bytes:
    """Change the number within the five fields whose order is promised."""
    found = _LINE_FIELD.match(record)
    if found is None:
        return record  # another program has written it anew: not ours to change
    start, end = found.span(1)
    return record[:start] + (str(line).encode() if line else b"null") + record[end:]


def _blocks(records: Iterator[bytes]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    size = 0
    for record in records:
        waiting.append(record)
        size += len(record)
        if size >= BLOCK_BYTES:
            yield b"\n".join([*waiting, b""])
            waiting.clear()
            size = 0
    if waiting:
        yield b"\n".join([*waiting, b""])


def _set_aside(fd: int, paths: ResultPaths, found: Scan, plan: _Plan) -> None:
    places = [*found.corrupt, (found.size, found.torn)] if found.torn else found.corrupt
    for block in _blocks(read_at(fd, *place) for place in places):
        append_synced(paths.torn, block)
    if plan.old:
        known = _mend_old(paths.old)
        old = (read_at(fd, *found.table.place(row)) for row in plan.old)
        for block in _blocks(record for record in old if hash(record) not in known):
            append_synced(paths.old, block)


def _mend_old(path: Path) -> set[int]:
    """Cut a torn end; return what is there, as a kill may have struck just before the rename."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        lines = Lines(fd)
        known = {hash(line) for _, line in lines}
        if lines.tail:
            os.ftruncate(fd, lines.end)
        return known
    finally:
        os.close(fd)
