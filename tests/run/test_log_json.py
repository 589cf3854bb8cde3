"""`runner batch --log-json`: what a machine reads on stderr, from the start to the last line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.cli.main import run
from runner.view.log_table import EVENTS
from runner.view.terminal import flush
from tests.run.commands import batch, settings, write_lines
from tests.simulated import Endpoints, scenario_file, simulator_in_thread

SCENARIO = """
[speed]
first_token_s = 0.005
tokens_per_second = 5000
[batch]
processing_s = 0.05
[[rules]]
match = "flaky"
attempts = 1
fault = { kind = "overloaded", retry_after_s = 0.01 }
[[rules]]
match = "broken"
fault = { kind = "status", status = 400, message = "prompt \\u001b[2J is too long" }
[[rules]]
match = "poor"
fault = { kind = "quota" }
"""


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator whose faults are chosen by words of the prompt."""
    scenario = scenario_file(tmp_path_factory.mktemp("scenario"), SCENARIO)
    with simulator_in_thread(scenario) as found:
        yield found


def told(capfd: pytest.CaptureFixture[str]) -> tuple[list[dict[str, Any]], str]:
    """Read all lines of stderr, each of which must be whole and of a known shape, and stdout."""
    flush()
    out, err = capfd.readouterr()
    lines = [json.loads(line) for line in err.splitlines()]
    for line in lines:
        assert list(line)[:3] == ["time", "level", "event"]
        assert tuple(line)[3:] == EVENTS[line["event"]].fields
    return lines, out


def jobs(folder: Path, *prompts: str) -> Path:
    """Write native jobs."""
    return write_lines(
        folder / "jobs.jsonl",
        [{"id": f"jöb-{number}", "prompt": prompt} for number, prompt in enumerate(prompts)],
    )


def test_a_run_is_told_from_start_to_end(
    tmp_path: Path, endpoints: Endpoints, capfd: pytest.CaptureFixture[str]
) -> None:
    """Start, retry, failure and end are lines with their facts, and nothing else is on stderr."""
    file = jobs(tmp_path, "hello", "flaky", "broken")
    wanted = settings(file, quiet=False, log_json=True, concurrency=1)
    assert batch(endpoints, wanted) == 1
    lines, out = told(capfd)
    assert out == ""
    events = [line["event"] for line in lines]
    assert (events[0], events[-1]) == ("run_started", "run_ended")
    assert sorted(events[1:-1]) == ["job_unanswered", "retry_scheduled"]
    by_name = {line["event"]: line for line in lines}
    start, end = by_name["run_started"], by_name["run_ended"]
    assert (start["selected"], start["to_do"], start["models"]) == (3, 3, ["here/m"])
    assert (start["results"], start["concurrency"]) == (f"{tmp_path}/jobs.results.jsonl", 1)
    assert by_name["retry_scheduled"]["job"] == "jöb-1"
    assert by_name["job_unanswered"]["message"] == "prompt \\x1b[2J is too long"
    assert (end["level"], end["exit_code"], end["stopped_by"]) == ("error", 1, None)
    assert (end["summary"]["succeeded"], end["summary"]["failed"]) == (2, 1)
    assert end["summary"]["exit_code"] == 1


def test_nothing_to_send_ends_like_any_run(
    tmp_path: Path, endpoints: Endpoints, capfd: pytest.CaptureFixture[str]
) -> None:
    """The second run says that nothing is left, and its exit code; with `-q` it says nothing."""
    wanted = settings(jobs(tmp_path, "hello"), quiet=False, log_json=True)
    assert batch(endpoints, settings(tmp_path / "jobs.jsonl")) == 0
    assert batch(endpoints, wanted) == 0
    lines, _ = told(capfd)
    assert [line["event"] for line in lines] == ["nothing_to_send", "run_ended"]
    assert (lines[1]["level"], lines[1]["exit_code"]) == ("info", 0)
    assert batch(endpoints, settings(tmp_path / "jobs.jsonl", log_json=True)) == 0
    assert told(capfd) == ([], "")


def test_quiet_leaves_what_is_wrong(
    tmp_path: Path, endpoints: Endpoints, capfd: pytest.CaptureFixture[str]
) -> None:
    """With `-q` a refused account leaves the halt and the end, and no word of the start."""
    wanted = settings(jobs(tmp_path, "poor", "poor too"), quiet=True, log_json=True)
    assert batch(endpoints, wanted) == 4
    lines, _ = told(capfd)
    assert [line["event"] for line in lines] == ["provider_halted", "run_ended"]
    assert (lines[0]["provider"], lines[0]["kind"]) == ("here", "quota")
    assert lines[1]["exit_code"] == 4


def test_with_tail_the_text_is_on_stdout_alone(
    tmp_path: Path, endpoints: Endpoints, capfd: pytest.CaptureFixture[str]
) -> None:
    """The answers are on stdout as ever, and notes about them are lines like all others."""
    file = jobs(tmp_path, "hello", "broken")
    wanted = settings(file, quiet=False, log_json=True, tail=True, grace_s=0.0)
    assert batch(endpoints, wanted) == 1
    lines, out = told(capfd)
    record = json.loads((tmp_path / "jobs.results.jsonl").read_text().splitlines()[0])
    assert out == record["text"] + "\n"
    assert [line["event"] for line in lines] == ["run_started", "job_unanswered", "run_ended"]


def test_the_batch_lane_tells_each_step_once(
    tmp_path: Path, endpoints: Endpoints, capfd: pytest.CaptureFixture[str]
) -> None:
    """A batch goes from its upload to its records, each phase a line, with its id from then on."""
    file = jobs(tmp_path, "hello", "there")
    wanted = settings(file, quiet=False, log_json=True, lane="batch")
    assert batch(endpoints, wanted) == 0
    lines, _ = told(capfd)
    moved = [line for line in lines if line["event"] == "batch_moved"]
    phases = ["uploading", "uploaded", "creating", "out", "collecting", "gone"]
    assert [line["phase"] for line in moved] == phases
    assert [line["batch"] is None for line in moved] == [True] * 3 + [False] * 3
    prepared = next(line for line in lines if line["event"] == "batches_prepared")
    assert (prepared["jobs"], prepared["batches"], prepared["cancels"]) == (2, 1, False)
    seen = [line for line in lines if line["event"] == "batch_seen"]
    assert (seen[-1]["batch"], seen[-1]["ended"]) == (moved[-1]["batch"], 2)
    assert lines[-1]["summary"]["succeeded"] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.jsonl", "-m", "sim/steady", "--log-json"], "nowhere.jsonl"),
        (["jobs.jsonl", "--log-json", "--bogus"], "has no option --bogus"),
        (["--log-json"], "JOBS is missing"),
        (["jobs.jsonl", "--log-json", "-c", "x"], "is not a whole number"),
        (["jobs.jsonl", "-q", "--log-json"], "no model chosen"),
    ],
)
def test_the_last_error_is_a_line_too(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    """Bad usage is exit 2 and one JSON line, wherever it is found."""
    jobs(tmp_path, "hello")
    monkeypatch.chdir(tmp_path)
    assert run(["batch", *words]) == 2
    lines, out = told(capfd)
    assert ([line["event"] for line in lines], out) == (["error"], "")
    assert (lines[0]["level"], lines[0]["exit_code"]) == ("error", 2)
    assert said in lines[0]["message"]
    assert not lines[0]["message"].startswith("Error")
    assert lines[0]["traceback"] is None


def test_environment_and_file_can_ask_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """`RUNNER_BATCH_LOG_JSON` counts from the first word on, a configuration once it is read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.toml").write_text("[batch]\nlog_json = true\n")
    assert run(["--config", "c.toml", "batch", "nowhere.jsonl", "-m", "sim/steady"]) == 2
    assert told(capfd)[0][0]["exit_code"] == 2
    monkeypatch.setenv("RUNNER_BATCH_LOG_JSON", "1")
    assert run(["batch", "jobs.jsonl", "--bogus"]) == 2
    assert "--bogus" in told(capfd)[0][0]["message"]
    assert run(["check", "jobs.jsonl", "--bogus"]) == 2
    assert capfd.readouterr().err.startswith("Error: ")


def test_a_bug_is_one_line_with_its_traceback_on_demand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What nobody foresaw is a line as well; only `RUNNER_DEBUG` adds where it happened."""

    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("runner.run.batch.run_batch", broken)
    monkeypatch.setenv("RUNNER_DEBUG", "1")
    jobs(tmp_path, "hello")
    words = ["batch", str(tmp_path / "jobs.jsonl"), "-m", "sim/steady", "--log-json"]
    assert run(words) == 1
    lines, _ = told(capfd)
    assert len(lines) == 1
    assert "internal error" in lines[0]["message"]
    assert "boom" in lines[0]["traceback"]
