"""A results file read back, also while a run is writing it: one record a job.

Nothing is locked. The file is opened once, so that a run that puts it in order meanwhile changes
nothing for the reader.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from runner.models import AttemptRecord, Result
from runner.repeats import repeat_number
from runner.results.encode import decode
from runner.results.gather import gather
from runner.results.heads import head_of
from runner.results.lines import read_at
from runner.results.order import in_line_order
from runner.results.scan import scan_fd
from runner.results.table import Recorded, ResultTable


class _Attempts(msgspec.Struct):
    attempts: list[AttemptRecord] = []


_attempts = msgspec.json.Decoder(_Attempts)


OnCorrupt = Callable[[Path, int, Sequence[tuple[int, int]]], None]
"""Called with a file, its descriptor, and offset and length of its lines that are no records."""


def standing(path: Path, on_corrupt: OnCorrupt | None = None) -> Iterator[bytes]:
    """Give one record a job, without its newline, in input order; those of no line come last.

    Raises FileNotFoundError.
    """
    fd = os.open(path, os.O_RDONLY)
    try:
        found = scan_fd(fd)
        table = found.table
        if on_corrupt is not None and found.corrupt:
            on_corrupt(path, fd, found.corrupt)
        rows = in_line_order(
            table.standing_rows(), table.log.lines, lambda row: _repeat(fd, table, row)
        )
        table.forget_ids()
        for _, records in gather(fd, table.log.places, rows):
            yield from records
    finally:
        os.close(fd)


def _repeat(fd: int, table: ResultTable, row: int) -> int:
    head = head_of(read_at(fd, *table.log.places[row]))
    return 0 if head is None else repeat_number(head.id)


def read_record(path: Path, offset: int, length: int) -> Result:
    """Read one record by its place in the file."""
    return decode(_bytes_at(path, offset, length))


def attempts_of(path: Path, recorded: Recorded) -> list[AttemptRecord]:
    """Read the attempts of a record, which a new record for the same job carries on."""
    return _attempts.decode(_bytes_at(path, recorded.offset, recorded.length)).attempts


def record_of_batch(path: Path, table: ResultTable, job_id: str, batch: str) -> Result | None:
    """Find the record of a job as a row of one batch; None where it has none."""
    for row in table.rows_of(job_id):
        record = read_record(path, *table.log.places[row])
        if record.id == job_id and record.attempts and record.attempts[-1].batch == batch:
            return record
    return None


def _bytes_at(path: Path, offset: int, length: int) -> bytes:
    fd = os.open(path, os.O_RDONLY)
    try:
        return read_at(fd, offset, length)
    finally:
        os.close(fd)
