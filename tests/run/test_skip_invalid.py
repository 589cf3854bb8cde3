"""Lines that became invalid after they were answered, with `--skip-invalid`."""

from pathlib import Path

import pytest

from runner.config import Config
from runner.errors import ExitCode, UsageError
from runner.run.batch import run_batch
from tests.results.build import record, write_log
from tests.run.commands import records, settings


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    """One job, answered in an earlier run; since then its line was spoilt."""
    write_log(tmp_path / "jobs.results.jsonl", [record("a")])
    (tmp_path / "jobs.jsonl").write_text('{"id": "a", "promt": "What is it?"}\n')
    return tmp_path / "jobs.jsonl"


def test_an_answer_is_not_replaced_by_a_complaint(jobs: Path) -> None:
    """A recorded success whose line cannot be read any more is another question: exit 2."""
    with pytest.raises(UsageError, match="1 answer to another question"):
        run_batch(settings(jobs, "sim/steady", skip_invalid=True), Config())
    assert [r["status"] for r in records(jobs.with_name("jobs.results.jsonl"))] == ["succeeded"]


@pytest.mark.parametrize(
    ("retry", "code", "status"),
    [
        ("failed", ExitCode.OK, "succeeded"),
        ("changed", ExitCode.SOME_UNANSWERED, "failed"),
    ],
)
def test_it_is_kept_or_replaced_on_demand(
    jobs: Path, retry: str, code: ExitCode, status: str
) -> None:
    """--retry failed keeps the answer; --retry changed records the line and moves the answer."""
    wanted = settings(jobs, "sim/steady", skip_invalid=True, retry=retry)
    assert run_batch(wanted, Config()) is code
    assert [r["status"] for r in records(jobs.with_name("jobs.results.jsonl"))] == [status]
    assert jobs.with_name("jobs.results.old.jsonl").exists() is (status == "failed")
