"""Promises of a whole batch, in process."""

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.errors import ExitCode, LockedError, UsageError
from runner.run.batch import run_batch
from runner.settings import Allowance, BatchSettings
from tests.run.commands import batch, config_for, records, settings, write_lines
from tests.simulated import Endpoints, reset_stats, scenario_file, simulator_in_thread, stats

SCENARIO = """
[answer]
min_tokens = 3
mean_tokens = 6
max_tokens = 12
[speed]
first_token_s = 0.005
tokens_per_second = 5000
[[rules]]
match = "flaky"
attempts = 1
fault = { kind = "overloaded", retry_after_s = 0.01 }
[[rules]]
match = "crowded"
attempts = 2
fault = { kind = "rate_limit", retry_after_s = 0.01 }
[[rules]]
match = "broken"
fault = { kind = "status", status = 400, message = "prompt is too long" }
[[rules]]
match = "poor"
fault = { kind = "quota" }
[[rules]]
match = "halved"
attempts = 1
fault = { kind = "truncate", after_tokens = 2 }
"""


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator whose faults are chosen by words of the prompt."""
    scenario = scenario_file(tmp_path_factory.mktemp("scenario"), SCENARIO)
    with simulator_in_thread(scenario) as found:
        yield found


def jobs(folder: Path, *prompts: str) -> Path:
    """Write native jobs whose ids are a, b, c, ..."""
    lines: list[dict[str, Any]] = [
        {"id": chr(97 + number), "prompt": prompt} for number, prompt in enumerate(prompts)
    ]
    return write_lines(folder / "jobs.jsonl", lines)


def unwrapped(text: str) -> str:
    """Take out the line breaks that keep a screen within 80 columns."""
    return " ".join(text.split())


def summary(folder: Path) -> dict[str, Any]:
    """Read the figures of the last run."""
    found: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return found


def test_screens_of_a_good_run(
    endpoints: Endpoints, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Start and end are said on stderr, with what to do next, and nothing is on stdout."""
    path = jobs(tmp_path, "one", "two", "a flaky one", "a crowded one")
    wanted = settings(path, quiet=False, verbose=True, max_tokens=100)
    assert batch(endpoints, wanted) is ExitCode.OK
    shown = capsys.readouterr()
    said = unwrapped(shown.err)
    assert shown.out == ""
    assert f"{path}: 4 jobs" in said
    assert "here/m, max_tokens 100" in said
    assert "4 of 4 answered" in said
    assert "1 retry, 2 refusals" in said
    assert "c: 503 from here, again in" in said
    assert "Answers as a column:" in said


def test_summary_adds_up(endpoints: Endpoints, tmp_path: Path) -> None:
    """The figures of the run equal the sums over the records and the server's own counts."""
    path = jobs(tmp_path, "one", "two flaky", "three broken", "four crowded", "five")
    reset_stats(endpoints)
    wanted = settings(path, summary_json=tmp_path / "summary.json", concurrency=2)
    assert batch(endpoints, wanted) is ExitCode.SOME_UNANSWERED
    found = records(tmp_path / "jobs.results.jsonl")
    figures = summary(tmp_path)
    seen = stats(endpoints)
    assert (figures["jobs_selected"], figures["succeeded"], figures["failed"]) == (5, 4, 1)
    assert figures["failed_by_kind"] == {"invalid_request": 1}
    assert figures["requests"] == seen["requests"] == sum(len(r["attempts"]) for r in found)
    assert figures["refusals"] == 2
    assert figures["tokens"]["input"] == sum(
        r["usage"]["input_tokens"] for r in found if r["usage"]
    )
    assert figures["tokens"]["output"] == sum(
        r["usage"]["output_tokens"] for r in found if r["usage"]
    )
    assert figures["cost_usd"] is None
    assert figures["exit_code"] == 1
    assert 1 <= figures["peak_in_flight"] <= 2


def test_an_allowance_covers_failures(endpoints: Endpoints, tmp_path: Path) -> None:
    """Failures within the allowance end with 0."""
    path = jobs(tmp_path, "broken", "two", "three", "four")
    wanted = settings(path, allow_failures=Allowance(percent=25))
    assert batch(endpoints, wanted) is ExitCode.OK
    assert batch(endpoints, replace(wanted, allow_failures=Allowance())) is (
        ExitCode.SOME_UNANSWERED
    )


def test_no_credit_halts_the_provider(
    endpoints: Endpoints, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without credit nothing new is sent, undone jobs have no record, the code is 4."""
    path = jobs(tmp_path, "poor", *(f"job {n}" for n in range(20)))
    wanted = settings(path, concurrency=1, quiet=False)
    assert batch(endpoints, wanted) is ExitCode.ACCOUNT
    assert records(tmp_path / "jobs.results.jsonl") == []
    assert "Stopped: here refuses the account" in unwrapped(capsys.readouterr().err)


def test_selected_jobs_only(endpoints: Endpoints, tmp_path: Path) -> None:
    """--limit takes the first, --sample spreads, and the rest has no record."""
    path = jobs(tmp_path, *(f"job {n}" for n in range(10)))
    assert batch(endpoints, settings(path, limit=3)) is ExitCode.OK
    assert [r["id"] for r in records(tmp_path / "jobs.results.jsonl")] == ["a", "b", "c"]
    assert batch(endpoints, settings(path, sample=5)) is ExitCode.OK
    found = [r["id"] for r in records(tmp_path / "jobs.results.jsonl")]
    assert found == ["a", "b", "c", "e", "g", "i"]
    assert batch(endpoints, settings(path)) is ExitCode.OK
    assert len(records(tmp_path / "jobs.results.jsonl")) == 10


def test_bad_lines_are_recorded_on_demand(
    endpoints: Endpoints, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--skip-invalid records bad lines as failed in their place and runs the rest."""
    path = tmp_path / "jobs.jsonl"
    path.write_text('{"id":"a","prompt":"x"}\n{"promt":"y"}\n{"id":"a","prompt":"z"}\n')
    with pytest.raises(UsageError, match="2 of 3 lines cannot be asked") as refused:
        batch(endpoints, settings(path))
    said = unwrapped(str(refused.value))
    assert f'{path}:2: unknown key "promt". Did you mean "prompt"?' in said
    assert f'{path}:3: id "a" was used on line 1' in said
    wanted = settings(path, skip_invalid=True, quiet=False)
    assert batch(endpoints, wanted) is ExitCode.SOME_UNANSWERED
    found = records(tmp_path / "jobs.results.jsonl")
    assert [r["line"] for r in found] == [1, 2, 3]
    assert [r["error"] and r["error"]["kind"] for r in found] == [
        None,
        "invalid_job",
        "invalid_job",
    ]
    assert len({r["id"] for r in found}) == 3
    reset_stats(endpoints)
    assert batch(endpoints, wanted) is ExitCode.SOME_UNANSWERED
    assert stats(endpoints)["requests"] == 0
    assert "1 of 3 jobs answered" in unwrapped(capsys.readouterr().err)


def test_a_stream_is_asked_as_it_comes(endpoints: Endpoints, tmp_path: Path) -> None:
    """A FIFO is checked line by line; the first job is answered before the last is written."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    out = tmp_path / "out.jsonl"
    gate = threading.Event()

    def write() -> None:
        with fifo.open("w") as file:
            file.write('{"id":"a","prompt":"one"}\nnot json\n{"id":"a","prompt":"again"}\n')
            file.flush()
            while not (out.exists() and out.stat().st_size):
                gate.wait(0.01)  # the record of the first job is what opens the second half
            file.write('{"id":"b","prompt":"two"}')

    writer = threading.Thread(target=write)
    writer.start()
    assert batch(endpoints, settings(fifo, output=out)) is ExitCode.SOME_UNANSWERED
    writer.join()
    found = {r["id"]: r["status"] for r in records(out)}
    assert (found.pop("a"), found.pop("b")) == ("succeeded", "succeeded")
    assert list(found.values()) == ["failed", "failed"]


def test_records_to_stdout(
    endpoints: Endpoints, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """With -o - the records are on stdout as they end, and nothing is kept."""
    path = jobs(tmp_path, "one", "two")
    assert batch(endpoints, settings(path, stdout=True)) is ExitCode.OK
    lines = capfdbinary.readouterr().out.splitlines()
    assert sorted(json.loads(line)["id"] for line in lines) == ["a", "b"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["jobs.jsonl"]


def test_tail_shows_answers_in_input_order(
    endpoints: Endpoints, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """--tail streams to stdout in input order, and the texts are those of the records."""
    path = jobs(tmp_path, *(f"job {n}" for n in range(12)))
    assert batch(endpoints, settings(path, tail=True, concurrency=6, grace_s=0.0)) is ExitCode.OK
    found = records(tmp_path / "jobs.results.jsonl")
    assert capfd.readouterr().out == "".join(r["text"] + "\n" for r in found)
    assert all(r["streamed"] for r in found)


def test_a_cut_stream_is_not_a_success(
    endpoints: Endpoints, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A stream that ends without its end mark is interrupted, and asked again the next time."""
    path = jobs(tmp_path, "halved")
    wanted = settings(path, tail=True, concurrency=1, quiet=False)
    assert batch(endpoints, wanted) is ExitCode.SOME_UNANSWERED
    (cut,) = records(tmp_path / "jobs.results.jsonl")
    assert (cut["status"], cut["interruption"]["reason"]) == ("interrupted", "truncated_stream")
    assert cut["finish_reason"] is None
    assert capfd.readouterr().out == cut["text"] + "\n"
    assert batch(endpoints, wanted) is ExitCode.OK
    (whole,) = records(tmp_path / "jobs.results.jsonl")
    assert [a["outcome"] for a in whole["attempts"]][-1] == "ok"
    assert len(whole["attempts"]) == 2


def test_long_answers_are_streamed_and_assembled(endpoints: Endpoints, tmp_path: Path) -> None:
    """An answer beyond the limit of a plain call is streamed though nobody watches."""
    path = jobs(tmp_path, "one")
    assert batch(endpoints, settings(path, "here-anthropic/m", max_tokens=30_000)) is ExitCode.OK
    (record,) = records(tmp_path / "jobs.results.jsonl")
    assert record["streamed"]
    assert record["response"]["type"] == "message"


def test_bodies_can_be_left_out_and_added(endpoints: Endpoints, tmp_path: Path) -> None:
    """--no-response leaves the body out; --keep-request adds what was sent."""
    path = jobs(tmp_path, "one")
    wanted = settings(path, no_response=True, keep_request=True, defaults={"temperature": 0.5})
    assert batch(endpoints, wanted) is ExitCode.OK
    (record,) = records(tmp_path / "jobs.results.jsonl")
    assert "response" not in record
    assert record["request"]["temperature"] == 0.5
    assert "stream" not in record["request"]


def test_order_of_completion_on_demand(endpoints: Endpoints, tmp_path: Path) -> None:
    """--unordered leaves the log as it grew."""
    path = jobs(tmp_path, "crowded", *(f"job {n}" for n in range(6)))
    assert batch(endpoints, settings(path, unordered=True, concurrency=4)) is ExitCode.OK
    assert records(tmp_path / "jobs.results.jsonl")[0]["id"] != "a"
    assert batch(endpoints, settings(path)) is ExitCode.OK
    assert [r["id"] for r in records(tmp_path / "jobs.results.jsonl")] == list("abcdefg")


def test_a_torn_tail_is_kept_aside(endpoints: Endpoints, tmp_path: Path) -> None:
    """Half a line at the end is cut, kept in .torn, and its job asked again."""
    path = jobs(tmp_path, "one", "two")
    assert batch(endpoints, settings(path)) is ExitCode.OK
    results = tmp_path / "jobs.results.jsonl"
    whole = results.read_bytes()
    results.write_bytes(whole[:-40])
    assert batch(endpoints, settings(path)) is ExitCode.OK
    assert [r["id"] for r in records(results)] == ["a", "b"]
    assert (tmp_path / "jobs.results.jsonl.torn").read_bytes().startswith(b'{"v":1,"id":"b"')


def test_somebody_elses_file_is_left_alone(endpoints: Endpoints, tmp_path: Path) -> None:
    """An output that is not a results file is refused, untouched."""
    path = jobs(tmp_path, "one")
    other = tmp_path / "diary.jsonl"
    other.write_text('{"dear": "diary"}\n')
    with pytest.raises(UsageError, match="not a results file"):
        batch(endpoints, settings(path, output=other))
    assert other.read_text() == '{"dear": "diary"}\n'


def test_a_missing_key_is_said_before_anything_is_sent(
    endpoints: Endpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One job of many that needs a key which is not there stops the run before it begins."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN", raising=False)
    lines: list[dict[str, Any]] = [
        {"prompt": "one"},
        {"prompt": "two", "model": "anthropic/claude-haiku-4-5"},
    ]
    path = write_lines(tmp_path / "jobs.jsonl", lines)
    reset_stats(endpoints)
    with pytest.raises(UsageError, match="ANTHROPIC_API_KEY is not set"):
        batch(endpoints, settings(path))
    assert stats(endpoints)["requests"] == 0


def test_a_stream_that_names_a_missing_key_goes_on(
    endpoints: Endpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream's later line whose key is missing halts that provider; the others are answered."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    text = '{"id":"a","prompt":"one"}\n{"id":"b","prompt":"two","model":"openai/gpt-5-mini"}\n'
    writer = threading.Thread(target=fifo.write_text, args=(text,))
    writer.start()
    out = tmp_path / "out.jsonl"
    assert batch(endpoints, settings(fifo, output=out)) is ExitCode.ACCOUNT
    writer.join()
    assert [r["id"] for r in records(out)] == ["a"]


def test_sample_needs_a_file(endpoints: Endpoints) -> None:
    """A stream cannot be sampled."""
    with pytest.raises(UsageError, match="--sample needs a file"):
        batch(endpoints, settings("-", sample=3, stdout=True))


def test_two_runs_cannot_share_results(endpoints: Endpoints, tmp_path: Path) -> None:
    """While one run works, another one on its results is refused."""
    from runner.results.lock import hold_lock
    from runner.results.paths import paths_for

    path = jobs(tmp_path, "one")
    with (
        hold_lock(paths_for(tmp_path / "jobs.results.jsonl")),
        pytest.raises(LockedError, match=f"process {os.getpid()}"),
    ):
        batch(endpoints, settings(path))


def test_batch_shapes_run_unmodified(endpoints: Endpoints, tmp_path: Path) -> None:
    """Files in the providers' own batch shapes run live; an override sends them elsewhere."""
    message = [{"role": "user", "content": "one"}]
    openai = {"custom_id": "o", "method": "POST", "url": "/v1/chat/completions"}
    responses = {"custom_id": "r", "method": "POST", "url": "/v1/responses"}
    shapes: list[tuple[str, dict[str, Any]]] = [
        ("here", {**openai, "body": {"model": "x", "messages": message, "n": 1}}),
        ("here-responses", {**responses, "body": {"model": "x", "input": "one"}}),
        (
            "here-anthropic",
            {"custom_id": "m", "params": {"model": "x", "max_tokens": 9, "messages": message}},
        ),
    ]
    for provider, line in shapes:
        path = write_lines(tmp_path / f"{provider}.jsonl", [line])
        wanted = settings(path, None, overrides={"model": f"{provider}/big"}, keep_request=True)
        assert run_batch(wanted, config_for(endpoints)) is ExitCode.OK
        (record,) = records(tmp_path / f"{provider}.results.jsonl")
        assert (record["id"], record["provider"], record["model"]) == (
            line["custom_id"],
            provider,
            "big",
        )
        sent = record["request"]
        given = line.get("body") or line["params"]
        assert {**sent, "model": "x"} == given


def test_settings_are_values() -> None:
    """Settings can be compared and are never changed in place."""
    assert BatchSettings(jobs="a") == BatchSettings(jobs="a")
