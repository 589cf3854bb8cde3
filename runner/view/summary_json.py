"""The figures of a run for programs: the file behind `--summary-json`."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from runner.clock import rfc3339
from runner.errors import WriteError
from runner.reading.outfile import replacing
from runner.view.tally import Tally
from runner.words import printable


def summary_figures(
    tally: Tally, *, started: datetime, ended: datetime, exit_code: int
) -> dict[str, Any]:
    """Put a run's figures under their promised keys; null means not known.

    | key | meaning |
    |---|---|
    | `jobs_selected` | jobs this run had to see to; null where it ended before they were counted |
    | `done_before` | of these, jobs with a record that was not asked again |
    | `succeeded`, `interrupted` | jobs with such a record now, earlier runs included |
    | `failed`, `failed_by_kind` | jobs with a failed record now, and the same for each error kind |
    | `cut_off` | answers that ended at their token limit |
    | `undone` | jobs without a record |
    | `requests` | requests sent in this run |
    | `attempts` | of these, all but refusals and those that fell back |
    | `retries`, `refusals` | repeated after a failure; refused for rate (429) |
    | `waited_s` | seconds that jobs were told to wait for their next attempt, summed over jobs |
    | `tokens` | of this run: `input`, `cached_input`, `output`, `unknown_jobs` not fully told |
    | `cost_usd`, `cost_unknown_jobs` | of this run: what is known, and jobs for which not all is |
    | `max_cost_usd`, `max_cost_spent_usd` | the bound given; what the file counts against it |
    | `flex` | null in other lanes; answers of this run `at_flex` and `at_standard` (any other), \
and jobs that `fell_back` for lack of room |
    | `peak_in_flight` | most requests out at once |
    | `started_at`, `ended_at`, `exit_code` | RFC 3339 UTC; what the process returns |
    """
    return {
        "jobs_selected": tally.total,
        "done_before": tally.earlier,
        "succeeded": tally.succeeded,
        "interrupted": tally.interrupted,
        "failed": tally.failed,
        "failed_by_kind": {kind: found.count for kind, found in sorted(tally.failures.items())},
        "cut_off": tally.cut_off,
        "undone": tally.undone,
        "requests": tally.requests,
        "attempts": tally.attempts,
        "retries": tally.retries,
        "refusals": tally.refusals,
        "waited_s": round(tally.waited_s, 3),
        "tokens": _tokens(tally),
        "cost_usd": tally.money.known_usd,
        "cost_unknown_jobs": tally.money.unknown_jobs,
        "max_cost_usd": tally.money.limit_usd,
        "max_cost_spent_usd": tally.money.counted_usd,
        "flex": _flex(tally),
        "peak_in_flight": tally.peak_in_flight,
        "started_at": rfc3339(started),
        "ended_at": rfc3339(ended),
        "exit_code": exit_code,
    }


def write_summary(path: Path, figures: dict[str, Any]) -> None:
    """Write the figures as one JSON object, whole or not at all. Raises WriteError."""
    data = msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n"
    try:
        with replacing(path) as file:
            file.write(data)
    except OSError as error:
        where = printable(str(path))
        raise WriteError(f"{where}: the summary cannot be written: {error.strerror}.") from error


def _flex(tally: Tally) -> dict[str, int] | None:
    counts = tally.flex
    return None if counts is None else asdict(counts)


def _tokens(tally: Tally) -> dict[str, int | None]:
    tokens = tally.tokens
    known = tokens.known > 0 or tokens.unknown == 0
    return {
        "input": tokens.input if known else None,
        "cached_input": tokens.cached if known else None,
        "output": tokens.output if known else None,
        "unknown_jobs": tokens.unknown,
    }
