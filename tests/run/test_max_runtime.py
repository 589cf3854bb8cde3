"""Promises of `--max-runtime`, in this process: a wall-clock bound that loses nothing."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.errors import ExitCode, LockedError
from runner.results.lock import hold_lock
from runner.results.paths import paths_for
from runner.run.ending import Outcome, exit_code
from runner.settings import Allowance
from runner.view.tally import Tally
from tests.run.commands import batch, records, settings, write_lines
from tests.simulated import Endpoints, reset_stats, scenario_file, simulator_in_thread, stats

SCENARIO = """
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
speed = { first_token_s = 2.0, jitter = 0, tokens_per_second = 5000 }
[[rules]]
match = "endless"
speed = { first_token_s = 0.01, jitter = 0, tokens_per_second = 0.1 }
[[rules]]
match = "later"
fault = { kind = "overloaded", retry_after_s = 30 }
[[rules]]
match = "poor"
fault = { kind = "quota" }
"""
MESSAGE = "stopped by --max-runtime before the answer had ended"


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


def test_all_done_in_time_is_as_ever(endpoints: Endpoints, tmp_path: Path) -> None:
    """A bound that was not reached changes nothing."""
    path = jobs(tmp_path, "one", "two")
    assert batch(endpoints, settings(path, max_runtime_s=60.0)) is ExitCode.OK
    assert batch(endpoints, settings(path, max_runtime_s=0.001)) is ExitCode.OK, "nothing to send"


def test_what_is_on_its_way_arrives(
    endpoints: Endpoints, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At its end nothing new is sent, the grace is waited out, and both are said; the code is 3."""
    path = jobs(tmp_path, "slow a", "slow b", "slow c")
    reset_stats(endpoints)
    wanted = settings(path, quiet=False, concurrency=2, max_runtime_s=1.5)
    assert batch(endpoints, wanted) is ExitCode.LIMIT
    assert by_id(tmp_path) == {"slow a": "succeeded", "slow b": "succeeded"}
    assert stats(endpoints)["requests"] == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "--max-runtime 1.5s is over: 2 answers on their way, up to 30s." in said
    assert "Stopped by --max-runtime: 2 of 3 answered, 1 to do." in said
    assert f"To go on, the same command: runner batch {path}" in said
    assert batch(endpoints, settings(path)) is ExitCode.OK


def test_what_outlasts_the_grace_is_cut_off(endpoints: Endpoints, tmp_path: Path) -> None:
    """The record says by what; a job that waited for its next attempt gets none."""
    path = jobs(tmp_path, "endless a", "later b", "one")
    wanted = settings(path, max_runtime_s=1.5, grace_s=0.2)
    assert batch(endpoints, wanted) is ExitCode.LIMIT
    assert by_id(tmp_path) == {"endless a": "interrupted", "one": "succeeded"}
    record = records(tmp_path / "jobs.results.jsonl")[0]
    assert record["interruption"]["reason"] == "deadline"
    assert record["interruption"]["message"] == MESSAGE
    assert record["error"] is None


def test_over_before_the_first_request(endpoints: Endpoints, tmp_path: Path) -> None:
    """Where the checks took all the time, nothing is sent and everything stays to be done."""
    path = jobs(tmp_path, "one", "two")
    reset_stats(endpoints)
    wanted = settings(path, max_runtime_s=0.0001, summary_json=tmp_path / "summary.json")
    assert batch(endpoints, wanted) is ExitCode.LIMIT
    assert stats(endpoints)["requests"] == 0
    assert by_id(tmp_path) == {}
    assert '"exit_code": 3' in (tmp_path / "summary.json").read_text()


def test_a_silent_stream_holds_nothing(endpoints: Endpoints, tmp_path: Path) -> None:
    """An input that never ends and says nothing more does not outlive the bound."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = os.open(fifo, os.O_RDWR)
    try:
        os.write(writer, b'{"id": "one", "prompt": "one"}\n')
        began = time.monotonic()
        wanted = settings(fifo, output=tmp_path / "jobs.results.jsonl", max_runtime_s=0.5)
        assert batch(endpoints, wanted) is ExitCode.LIMIT
        assert time.monotonic() - began < 10
    finally:
        os.close(writer)
    assert by_id(tmp_path) == {"one": "succeeded"}


def test_live_answers_are_cut_off_at_once(
    endpoints: Endpoints, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """With `--tail` there is no grace: what was shown is kept."""
    path = jobs(tmp_path, "endless a")
    wanted = settings(path, tail=True, grace_s=0.0, max_runtime_s=1.5)
    assert batch(endpoints, wanted) is ExitCode.LIMIT
    record = records(tmp_path / "jobs.results.jsonl")[0]
    assert (record["status"], record["interruption"]["reason"]) == ("interrupted", "deadline")
    assert record["text"].strip()
    assert record["text"].strip() in capfd.readouterr().out


def test_an_account_that_is_refused_weighs_more(endpoints: Endpoints, tmp_path: Path) -> None:
    """4 comes before 3: a limit can be raised, an account has to be mended."""
    path = jobs(tmp_path, "endless a", "poor b", "later c")
    assert batch(endpoints, settings(path, max_runtime_s=1.5, grace_s=0.1)) is ExitCode.ACCOUNT


def test_waiting_for_the_lock_is_bounded(endpoints: Endpoints, tmp_path: Path) -> None:
    """`--wait-lock` waits no longer than the run may last."""
    path = jobs(tmp_path, "one")
    began = time.monotonic()
    with hold_lock(paths_for(tmp_path / "jobs.results.jsonl")), pytest.raises(LockedError):
        batch(endpoints, settings(path, wait_lock_s=60.0, max_runtime_s=0.3))
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("tally", "outcome", "code"),
    [
        (Tally(total=1), Outcome(stopped_by="deadline"), ExitCode.LIMIT),
        (Tally(total=1), Outcome(stopped_by="sigint"), ExitCode.SIGINT),
        (Tally(), Outcome(stopped_by="deadline", unread=True), ExitCode.LIMIT),
        (Tally(), Outcome(stopped_by="deadline"), ExitCode.OK),
        (Tally(), Outcome(stopped_by="deadline", input_changed="x"), ExitCode.SOME_UNANSWERED),
        (Tally(total=1), Outcome(stopped_by="deadline", input_changed="x"), ExitCode.LIMIT),
    ],
)
def test_the_code_of_the_end_of_the_time(tally: Tally, outcome: Outcome, code: ExitCode) -> None:
    """It counts only where it left work undone, and an allowance does not cover that."""
    assert exit_code(tally, outcome, Allowance(count=5)) is code
