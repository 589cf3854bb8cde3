"""Promises of `--max-failures`, and of a run in which all jobs fail alike, in this process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.errors import ExitCode
from runner.events import JobFinished, JobQueued
from runner.models import ErrorRecord, Result, Status
from runner.run.ending import Outcome, exit_code
from runner.run.failing import FailureLimit
from runner.settings import Allowance
from runner.view.tally import Tally
from tests.run.commands import batch, records, settings, write_lines
from tests.simulated import Endpoints, scenario_file, simulator_in_thread

SCENARIO = """
unknown_models = ["gpt5-mini"]
[answer]
min_tokens = 4
mean_tokens = 4
max_tokens = 4
[speed]
first_token_s = 0.01
jitter = 0
tokens_per_second = 5000
[[rules]]
match = "slow"
speed = { first_token_s = 0.7, jitter = 0, tokens_per_second = 5000 }
[[rules]]
match = "endless"
speed = { first_token_s = 60, jitter = 0, tokens_per_second = 5000 }
[[rules]]
match = "bad"
fault = { kind = "status", status = 400, message = "prompt is too long" }
"""


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator whose behaviour is chosen by words of the prompt."""
    scenario = scenario_file(tmp_path_factory.mktemp("scenario"), SCENARIO)
    with simulator_in_thread(scenario) as found:
        yield found


def jobs(folder: Path, *prompts: str) -> Path:
    """Write native jobs whose ids are their prompts."""
    return write_lines(folder / "jobs.jsonl", [{"id": p, "prompt": p} for p in prompts])


def by_id(folder: Path) -> dict[str, str]:
    """Each record's status."""
    return {r["id"]: r["status"] for r in records(folder / "jobs.results.jsonl")}


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """What was said, on one line."""
    return " ".join(capsys.readouterr().err.split())


def test_it_stops_and_waits_for_what_is_on_its_way(
    endpoints: Endpoints, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At the limit nothing new is sent, answers on their way arrive, all is said; the code is 3."""
    path = jobs(tmp_path, "slow", *(f"bad {n}" for n in range(20)))
    wanted = settings(path, quiet=False, concurrency=2, max_failures=Allowance(count=3))
    assert batch(endpoints, wanted) is ExitCode.LIMIT
    found = by_id(tmp_path)
    assert (found.pop("slow"), len(found), set(found.values())) == ("succeeded", 3, {"failed"})
    text = said(capsys)
    assert "--max-failures 3 is reached (3 invalid_request): 1 answer on its way" in text
    assert "Stopped by --max-failures: 1 of 21 answered, 3 failed, 17 to do." in text
    assert "3 invalid_request: prompt is too long (line 2, ...)" in text
    assert "To go on, the same command:" in text
    assert "add --retry failed" in text


def test_going_on_counts_anew(endpoints: Endpoints, tmp_path: Path) -> None:
    """The next run has the same allowance again and does not repeat what failed for good."""
    path = jobs(tmp_path, *(f"bad {n}" for n in range(5)))
    wanted = settings(path, concurrency=1, max_failures=Allowance(count=3))
    assert batch(endpoints, wanted) is ExitCode.LIMIT
    assert len(by_id(tmp_path)) == 3
    assert batch(endpoints, wanted) is ExitCode.SOME_UNANSWERED
    assert len(by_id(tmp_path)) == 5


def test_what_outlasts_the_grace_is_cut_off(endpoints: Endpoints, tmp_path: Path) -> None:
    """After the grace the rest is recorded as interrupted, with what stopped it."""
    path = jobs(tmp_path, "endless", "bad", "never")
    wanted = settings(path, concurrency=2, grace_s=0.1, max_failures=Allowance(count=1))
    assert batch(endpoints, wanted) is ExitCode.LIMIT
    (cut,) = [r for r in records(tmp_path / "jobs.results.jsonl") if r["id"] == "endless"]
    assert cut["interruption"]["reason"] == "deadline"
    assert cut["interruption"]["message"] == (
        "stopped by --max-failures before the answer had ended"
    )


def test_a_limit_that_was_not_reached_changes_nothing(endpoints: Endpoints, tmp_path: Path) -> None:
    """Fewer failures than the limit end with 1 as ever."""
    path = jobs(tmp_path, "bad", "good", "fine")
    wanted = settings(path, max_failures=Allowance(percent=50))
    assert batch(endpoints, wanted) is ExitCode.SOME_UNANSWERED


def test_an_unknown_model_stops_early(
    endpoints: Endpoints, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Five jobs are told that there is no such model, the rest is not sent; mended, all are."""
    path = jobs(tmp_path, *(f"job {n}" for n in range(40)))
    wanted = settings(path, "here/gpt5-mini", quiet=False, concurrency=1)
    assert batch(endpoints, wanted) is ExitCode.ACCOUNT
    assert set(by_id(tmp_path).values()) == {"failed"}
    assert len(by_id(tmp_path)) == 5
    text = said(capsys)
    assert (
        "Stopped: here does not know the model gpt5-mini (said so to the first 5 jobs)."
        " 35 jobs were not sent. Mend the model's name." in text
    )
    assert batch(endpoints, settings(path, "here/gpt-5-mini")) is ExitCode.OK
    assert set(by_id(tmp_path).values()) == {"succeeded"}


def finished(status: Status, kind: str | None = None) -> JobFinished:
    """A job that ends so."""
    error = None if kind is None else ErrorRecord(kind=kind, message="no")  # type: ignore[arg-type] # a test's shorthand
    return JobFinished(Result(id="x", digest="d", line=1, status=status, error=error))


@pytest.mark.parametrize(
    ("most", "total", "good", "bad"),
    [
        (Allowance(count=3), 100, 90, 3),
        (Allowance(count=3), None, 0, 3),
        (Allowance(percent=5), 100, 2, 5),
        (Allowance(percent=5), 101, 2, 6),
        (Allowance(percent=0.1), 10, 2, 1),
        (Allowance(percent=50), None, 0, 20),
        (Allowance(percent=10), None, 18, 2),
        (Allowance(percent=10), None, 45, 5),
    ],
)
def test_the_limit_is_reached_at_so_many(
    most: Allowance, total: int | None, good: int, bad: int
) -> None:
    """A number, a share of the selected jobs, or of a stream's ended ones from the twentieth on."""
    limit = FailureLimit(most, lambda: total)
    limit.emit(JobQueued(None))  # type: ignore[arg-type] # any event that is no end
    for _ in range(good):
        limit.emit(finished("succeeded"))
    for _ in range(bad - 1):
        limit.emit(finished("failed", "timeout"))
    assert not limit.reached.is_set()
    limit.emit(finished("interrupted", "timeout"))
    assert limit.reached.is_set()


def test_what_was_reached_is_told_by_kind() -> None:
    """The limit, and how many of each kind, the commonest first."""
    limit = FailureLimit(Allowance(percent=2.5), lambda: 100)
    for kind in ("timeout", "not_found", "timeout"):
        limit.emit(finished("failed", kind))
    limit.emit(finished("interrupted"))
    assert limit.told == "--max-failures 2.5% is reached (2 timeout, 1 not_found, 1 interrupted)"


@pytest.mark.parametrize(
    ("total", "allowed", "code"),
    [(9, 0, ExitCode.LIMIT), (9, 9, ExitCode.LIMIT), (0, 0, ExitCode.OK)],
)
def test_failures_count_as_a_limit(total: int, allowed: int, code: ExitCode) -> None:
    """A stop by failures is 3 where it left work undone, whatever is allowed to fail."""
    outcome = Outcome(stopped_by="failures")
    assert exit_code(Tally(total=total), outcome, Allowance(count=allowed)) is code
