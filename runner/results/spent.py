"""What a results file says was spent: each request that was ever sent for a record in it, once.

Knows no prices: what the file alone cannot bound is handed on, job by job.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from runner.models import Usage
from runner.pricing.attempts import Spent, spent_on
from runner.results.lines import read_at
from runner.results.rows import NO_ROW
from runner.results.table import ResultTable, digest_number


class Sent(msgspec.Struct, frozen=True):
    """As much of a recorded attempt as tells what it cost, and it from others."""

    run: str
    started_at: str
    duration_s: float | None = None
    outcome: str = ""
    request_id: str | None = None
    usage: Usage | None = None
    cost_usd: float | None = None
    at_most_usd: float | UnsetType = UNSET
    lane: str | UnsetType = UNSET


class _Record(msgspec.Struct):
    id: str
    digest: str | None = None
    attempts: list[Sent] = []


class Open(NamedTuple):
    """A request of which the file says neither the cost nor a bound."""

    question: int
    """`digest_number` of what was asked."""
    usage: Usage | None
    """None also where it was not live, so that its count does not tell what it cost."""


class Ledger(NamedTuple):
    """What a results file says was spent."""

    spent: Spent
    open: dict[str, list[Open]]
    """By job, what is not in `spent`."""


_record = msgspec.json.Decoder(_Record)


def ledger_of(path: Path, table: ResultTable) -> Ledger:
    """Add up a results file that `table` tells of.

    A record carries the attempts of those it replaced, so that each is counted once.
    """
    if not table.rows:
        return Ledger(Spent(), {})
    spent, unpriced = Spent(), dict[str, list[Open]]()
    fd = os.open(path, os.O_RDONLY)
    try:
        for row in table.latest_rows():
            job_id, sent = _attempts(fd, table, row)
            found = spent_on(sent)
            spent += found
            if found.unbounded:
                unpriced[job_id] = [
                    Open(question, one.usage if one.lane is UNSET else None)
                    for one, question in sent.items()
                    if one.cost_usd is None and one.at_most_usd is UNSET
                ]
    finally:
        os.close(fd)
    return Ledger(spent._replace(unbounded=0), unpriced)


def _attempts(fd: int, table: ResultTable, latest: int) -> tuple[str, dict[Sent, int]]:
    """Give a job and its attempts, all its lines taken together, and what each one asked."""
    sent: dict[Sent, int] = {}
    job_id = ""
    for row in _lines(table, latest):
        record = _record.decode(read_at(fd, *table.log.places[row]))
        job_id = record.id
        sent.update(dict.fromkeys(record.attempts, digest_number(record.digest)))
    return job_id, sent


def _lines(table: ResultTable, latest: int) -> Iterator[int]:
    row = latest
    while row != NO_ROW:
        yield row
        row = table.index.earlier(row)
