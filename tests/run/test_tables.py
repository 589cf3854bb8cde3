"""A table as the jobs of a batch."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.errors import ExitCode, UsageError
from tests.run.commands import batch, settings
from tests.simulated import Endpoints, reset_stats, simulator_in_thread, stats

HEAD = "id,text\n"
ROWS = ["a,one\n", 'b,"two\nlines"\n', "c,three\n"]


@pytest.fixture(scope="module")
def endpoints() -> Iterator[Endpoints]:
    """One practice server for all."""
    with simulator_in_thread() as found:
        yield found


def records(path: Path) -> list[tuple[int, str, str]]:
    """Line, id and echoed text of each record."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [(line["line"], line["id"], line["metadata"]["text"]) for line in lines]


def test_a_packed_table_is_asked_and_gone_on_with(tmp_path: Path, endpoints: Endpoints) -> None:
    """Rows of a table are asked once each, over runs and with a growing file, in its order."""
    reset_stats(endpoints)
    jobs, results = tmp_path / "rows.csv.gz", tmp_path / "rows.results.jsonl"
    jobs.write_bytes(gzip.compress((HEAD + "".join(ROWS[:2])).encode()))
    wanted = settings(jobs, template="Topic of {{ text }}")
    assert batch(endpoints, settings(jobs, template="Topic of {{ text }}", limit=1)) is ExitCode.OK
    assert records(results) == [(2, "a", "one")]
    jobs.write_bytes(gzip.compress((HEAD + "".join(ROWS[::-1])).encode()))
    assert batch(endpoints, wanted) is ExitCode.OK
    assert records(results) == [(2, "c", "three"), (3, "b", "two\nlines"), (5, "a", "one")]
    assert stats(endpoints)["requests"] == 3


def test_a_bad_row_keeps_all_from_being_sent(tmp_path: Path, endpoints: Endpoints) -> None:
    """A bad row is refused with its line, or recorded as failed where that is wanted."""
    jobs = tmp_path / "rows.csv"
    jobs.write_text(HEAD + "a,one\nb\nc,three\n")
    with pytest.raises(UsageError) as raised:
        batch(endpoints, settings(jobs, template="{{ text }}"))
    said = " ".join(str(raised.value).split())
    assert "rows.csv:3: has 1 cell, and the header names 2 columns" in said
    skipping = settings(jobs, template="{{ text }}", skip_invalid=True)
    assert batch(endpoints, skipping) is ExitCode.SOME_UNANSWERED
    lines = [
        json.loads(line) for line in (tmp_path / "rows.results.jsonl").read_text().splitlines()
    ]
    assert [(line["line"], line["status"]) for line in lines] == [
        (2, "succeeded"),
        (3, "failed"),
        (4, "succeeded"),
    ]
