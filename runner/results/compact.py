"""Put a finished file in order: one line a job, in input order, replaced in one step.

The log is good as it is, so that whatever keeps us from improving it is no failure: it is said,
and the file stays. `kill -9` at any moment leaves the old file or the new one.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runner.results.durable import append_synced, sync_folder, write_all
from runner.results.gather import gather
from runner.results.heads import head_of
from runner.results.lines import Lines, pieces_at, read_at
from runner.results.order import Order, order
from runner.results.paths import ResultPaths
from runner.results.scan import Scan
from runner.results.table import digest_number

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


def compact(
    paths: ResultPaths, held: Scan, *, unordered: bool = False, whole: bool = True
) -> Compacted:
    """Leave one line a job, in input order (`unordered`: in that of the log), strangers last.

    `held` is what `repair` found at the start of this run, with what the run has added. A job's
    line is the one noted in its table, else what a record of this run says; other records are
    strangers, whose `line` becomes null, unless `whole` is false: the rest of the input was not
    read, and may hold their jobs. Replaced successes go to the old file first. Only the holder of
    the lock may call it, when nothing is appended any more and the journal is closed; the scan is
    used up.
    """
    try:
        fd = os.open(paths.results, os.O_RDONLY)
    except FileNotFoundError:
        return Compacted(rewritten=False)
    try:
        return _compact(fd, paths, held, unordered=unordered, whole=whole)
    finally:
        os.close(fd)


def _compact(fd: int, paths: ResultPaths, held: Scan, *, unordered: bool, whole: bool) -> Compacted:
    # Putting the file in order takes as much memory as what it does not need.
    held.table.forget_ids()
    plan = order(held, lambda row: _question(fd, held, row), unordered=unordered, whole=whole)
    left_because = None
    if os.fstat(fd).st_size != held.end:
        left_because = "another program has written to it"
    needed = left_because is None and plan.changes(held)
    if needed:
        left_because = _rewrite(fd, paths, held, plan)
    return Compacted(
        rewritten=needed and left_because is None,
        left_because=left_because,
        strangers=plan.strangers,
        superseded=held.lines - len(plan.rows),
        moved=len(plan.old),
        corrupt=len(held.corrupt),
    )


def _question(fd: int, held: Scan, row: int) -> int:
    head = head_of(read_at(fd, *held.table.log.places[row]))
    return digest_number(head.digest if head else None)


def _rewrite(fd: int, paths: ResultPaths, held: Scan, plan: Order) -> str | None:
    """Replace the file; return why it could not be done."""
    try:
        room = os.statvfs(paths.results.parent)
        if room.f_bavail * room.f_frsize < plan.size + _SPARE_BYTES:
            return "the disk has too little room for a second copy"
        out = _open_like(fd, paths.temporary)
        try:
            for group in _ordered(fd, held, plan):
                write_all(out, group)
            os.fsync(out)
            _set_aside(fd, paths, held, plan)
            paths.temporary.replace(paths.results)
            sync_folder(paths.results)
        finally:
            os.close(out)
    except OSError as error:
        with suppress(OSError):  # what remains of it is removed by the next run
            paths.temporary.unlink(missing_ok=True)
        return f"the copy could not be written ({error.strerror or error})"
    return None


def _open_like(fd: int, target: Path) -> int:
    """Open a new file with owner and mode of an open one."""
    out = os.open(target, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        status, mine = os.fstat(fd), os.fstat(out)
        if (status.st_uid, status.st_gid) != (mine.st_uid, mine.st_gid):
            os.fchown(out, status.st_uid, status.st_gid)
        os.fchmod(out, stat.S_IMODE(status.st_mode))
    except BaseException:
        os.close(out)
        raise
    return out


def _ordered(fd: int, held: Scan, plan: Order) -> Iterator[bytes]:
    """Give the new file group by group."""
    log, relined = held.table.log, plan.relined
    any_relined = 1 in relined
    for rows, records in gather(fd, log.places, plan.rows):
        if any_relined:
            for number, row in enumerate(rows):
                if row < len(relined) and relined[row]:
                    line = held.repeats.line(log.lines[row])
                    records[number] = _with_line(records[number], line)
        yield b"\n".join([*records, b""])


def _with_line(record: bytes, line: int) -> bytes:
    """Change the number within the five fields whose order is promised."""
    found = _LINE_FIELD.match(record)
    if found is None:
        return record  # another program has written it anew: not ours to change
    start, end = found.span(1)
    return record[:start] + (str(line).encode() if line else b"null") + record[end:]


def _set_aside(fd: int, paths: ResultPaths, held: Scan, plan: Order) -> None:
    if held.corrupt:
        append_synced(paths.torn, _kept(fd, held))
    if plan.old:
        known = _mend_old(paths.old)
        append_synced(paths.old, _replaced(fd, held, plan, known))


def _replaced(fd: int, held: Scan, plan: Order, known: set[int]) -> Iterator[bytes]:
    for _, records in gather(fd, held.table.log.places, plan.old):
        lines = (record + b"\n" for record in records)
        yield b"".join(line for line in lines if hash(line) not in known)


def _kept(fd: int, held: Scan) -> Iterator[bytes]:
    for offset, length in held.corrupt:
        yield from pieces_at(fd, offset, length)
        yield b"\n"


def _mend_old(path: Path) -> set[int]:
    """Cut a torn end; return what is there, as a kill may have struck just before the rename."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        lines = Lines(fd)
        known = {hash(line) for block in lines for line in block.lines}
        if lines.torn:
            os.ftruncate(fd, lines.end)
        return known
    finally:
        os.close(fd)
