"""A results file read for a report, also while a run writes it: each record once.

A record that another has replaced is found only at the end of the file. So what was counted stands
where there is none (every file that a run has put in order), and else the standing ones are read.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.reading.damage import Damage
from runner.reading.records import check_results
from runner.reading.report.fields import Record, fields_of
from runner.reading.report.figures import Figures
from runner.reading.report.looked_at import Seen, sample, slowest
from runner.results.gather import gather
from runner.results.order import in_log_order
from runner.results.paths import paths_for
from runner.results.run_file import RunFile, read_run_file
from runner.results.scan import scan_fd
from runner.results.table import ResultTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What there is to say of one results file."""

    path: Path
    figures: Figures
    run: RunFile | None
    """What the last run was asked; None where that is not known any more."""
    sample: Sequence[Seen]
    slowest: Sequence[Seen]


class _Reader:
    """Adds up records while they are scanned."""

    def __init__(self) -> None:
        self.figures = Figures()
        self._rows = 0

    def __call__(self, lines: Sequence[bytes], data: bytes) -> list[Record] | None:
        records = fields_of(lines, data)
        if records:
            rows = range(self._rows, self._rows + len(records))
            self.figures.extend(records, rows)
            self._rows = rows.stop
        return records


def read_report(path: Path, damage: Damage | None = None) -> Report:
    """Read a results file and sum it up.

    Lines that are no records are passed over and told to `damage`. Raises UsageError where the file
    cannot be read or is no results file.
    """
    check_results(path)
    fd = os.open(path, os.O_RDONLY)
    try:
        reader = _Reader()
        found = scan_fd(fd, read=reader)
        table, figures = found.table, reader.figures
        if damage is not None and found.corrupt:
            damage.note(path, fd, found.corrupt)
        if len(table) < table.rows:
            figures = _standing(fd, table)
        places = table.log.places
        return Report(
            path=path,
            figures=figures,
            run=read_run_file(paths_for(path).run),
            sample=sample(fd, places, figures.causes, figures.picks),
            slowest=slowest(fd, places, figures.picks),
        )
    finally:
        os.close(fd)


def _standing(fd: int, table: ResultTable) -> Figures:
    """Add up the records that stand for their jobs."""
    figures = Figures()
    stands = in_log_order(table.standing_rows())
    for rows, lines in gather(fd, table.log.places, stands):
        figures.extend(_each(lines), rows)
    return figures


def _each(lines: Sequence[bytes]) -> list[Record]:
    """Read lines that are records, as is known from the scan."""
    records = fields_of(lines, b"")
    if records is None:
        return [record for line in lines for record in fields_of([line], b"") or ()]
    return records
