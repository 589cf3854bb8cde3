"""Promises about the sum of what a results file records."""

from pathlib import Path

from msgspec.structs import replace

from runner.models import AttemptRecord, Usage
from runner.pricing.attempts import Spent
from runner.results.encode import encode
from runner.results.scan import scan
from runner.results.spent import Ledger, Open, ledger_of
from runner.results.table import digest_number
from tests.results.build import record

CENT = 10**10
PAID = AttemptRecord(run="r1", started_at="t1", duration_s=1.0, outcome="ok", cost_usd=0.01)
LOST = AttemptRecord(run="r1", started_at="t2", duration_s=1.0, outcome="timeout", at_most_usd=0.05)
LATER = AttemptRecord(run="r2", started_at="t3", duration_s=1.0, outcome="ok", cost_usd=0.02)


def ledger(folder: Path, *lines: tuple[str, str, list[AttemptRecord]]) -> Ledger:
    """Write records of id, question and attempts, and add them up."""
    path = folder / "r.jsonl"
    found = [
        encode(replace(record(job_id, digest, "failed"), attempts=attempts))
        for job_id, digest, attempts in lines
    ]
    path.write_bytes(b"".join(line.rstrip(b"\n") + b"\n" for line in found))
    return ledger_of(path, scan(path).table)


def test_each_request_counts_once(tmp_path: Path) -> None:
    """Records that carry on the attempts of others do not count them twice."""
    found = ledger(
        tmp_path,
        ("a", "x", [PAID]),
        ("b", "x", [PAID, LOST]),
        ("a", "x", [PAID, LATER]),
        ("a", "y", [LATER, LOST]),
    )
    assert found == Ledger(Spent(known=4 * CENT, unknown=10 * CENT), {})


def test_what_the_file_cannot_bound_is_handed_on(tmp_path: Path) -> None:
    """Requests without cost and bound are named by job and question, with their count."""
    usage = Usage(input_tokens=3, output_tokens=2)
    bare = AttemptRecord(run="r", started_at="t", duration_s=None, outcome="ok", usage=usage)
    found = ledger(tmp_path, ("a", "x", [PAID, bare]), ("b", "x", [PAID]))
    question = digest_number(record("a", "x", "failed").digest)
    assert found == Ledger(Spent(known=2 * CENT), {"a": [Open(question, usage)]})


def test_nothing_recorded_is_nothing_spent(tmp_path: Path) -> None:
    """A file that is not there costs nothing."""
    path = tmp_path / "none.jsonl"
    assert ledger_of(path, scan(path).table) == Ledger(Spent(), {})
