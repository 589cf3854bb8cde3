"""Promises of `runner tail`: text the moment it arrives, stopped at once, kept."""

import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processes.running import (
    PATIENCE_S,
    environment,
    is_heard,
    pointing_at,
    read_some,
    records,
    run,
    start,
    wait_until,
)
from tests.simulated import scenario_file, simulator, wait_for_stats

PACED = """
[speed]
first_token_s = 0.3
jitter = 0
tokens_per_second = 25
[answer]
min_tokens = 60
mean_tokens = 60
max_tokens = 60
"""


def test_the_answer_is_on_stdout_and_nothing_else(tmp_path: Path) -> None:
    """In a pipe stdout holds the model's text unchanged and stderr is silent."""
    done = run(
        tmp_path, "tail", "-m", "sim/steady", "-o", "kept.jsonl", "Why", "do", "cats", "purr?"
    )
    assert (done.returncode, done.stderr) == (0, "")
    record = records(tmp_path / "kept.jsonl")[0]
    assert done.stdout == record["text"]
    assert (record["status"], record["streamed"], record["line"]) == ("succeeded", True, None)
    assert record["usage"]["complete"]
    assert record["id"].startswith("tail-")


def test_deltas_come_one_by_one_and_at_once(tmp_path: Path) -> None:
    """At least 90 % of the deltas come in a write of their own, without gathering."""
    with simulator(scenario_file(tmp_path, PACED)) as endpoints:
        process = start(tmp_path, "tail", "-m", "openai/m", "Count.", env=pointing_at(endpoints))
        pieces = _pieces(process)
    assert process.returncode == 0
    gaps = [after - before for (before, _), (after, _) in itertools.pairwise(pieces)]
    assert len(pieces) >= 54
    assert statistics.median(gaps) == pytest.approx(1 / 25, abs=0.02)


def _pieces(process: subprocess.Popen[bytes]) -> list[tuple[float, bytes]]:
    assert process.stdout is not None
    pieces = []
    while data := os.read(process.stdout.fileno(), 65536):
        pieces.append((time.monotonic(), data))
    process.communicate(timeout=PATIENCE_S)
    return pieces


@pytest.mark.parametrize("model", ["openai/m", "openai-responses/m", "anthropic/m"])
def test_ctrl_c_keeps_exactly_what_was_shown(tmp_path: Path, model: str) -> None:
    """SIGINT ends it within a second with 130; record and stdout agree; the server is let go."""
    with simulator(scenario_file(tmp_path, PACED)) as endpoints:
        env = pointing_at(endpoints)
        process = start(tmp_path, "tail", "-m", model, "-o", "kept.jsonl", "Count.", env=env)
        shown = read_some(process) + read_some(process)
        state = tmp_path / "state/runner/last-exchange.json"
        assert not state.exists()  # nobody waits for it before the answer
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        rest, stderr = process.communicate(timeout=PATIENCE_S)
        assert time.monotonic() - began < 1.0
        wait_for_stats(endpoints, lambda seen: seen["disconnects"] == 1)
    assert (process.returncode, stderr) == (130, b"")
    assert state.exists()
    record = records(tmp_path / "kept.jsonl")[0]
    assert record["status"] == "interrupted"
    assert record["interruption"]["reason"] == "sigint"
    assert record["text"].encode() == shown + rest
    assert record["finish_reason"] is None


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("delay_ms", range(0, 1200, 150))
def test_ctrl_c_during_start_up_is_silent(tmp_path: Path, delay_ms: int) -> None:
    """Whenever Ctrl-C strikes there is no traceback."""
    process = start(tmp_path, "tail", "-m", "sim/slow", "Hello.")
    # Before our first lines it strikes Python itself. SIGHUP is the last that they see to.
    wait_until(lambda: is_heard(process.pid, signal.SIGHUP))
    time.sleep(delay_ms / 1000)  # the moment of the signal is what is tested
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert b"Traceback" not in stderr


def test_piped_text_comes_before_the_prompt(tmp_path: Path) -> None:
    """Standard input comes before the words, is a prompt by itself, and can be left out."""
    with simulator() as endpoints:
        env = pointing_at(endpoints)
        both = run(tmp_path, "tail", "-m", "openai/m", "Sum it up.", env=env, stdin="A text.\n")
        one = run(tmp_path, "tail", "-m", "openai/m", env=env, stdin="A text.\n\nSum it up.")
        none = run(
            tmp_path, "tail", "-m", "openai/m", "--no-stdin", "Sum it up.", env=env, stdin="A text."
        )
        words = run(tmp_path, "tail", "-m", "openai/m", "Sum it up.", env=env)
    assert both.stdout == one.stdout
    assert none.stdout == words.stdout != both.stdout


def test_a_failure_before_the_first_token_is_tried_again(tmp_path: Path) -> None:
    """A server error before any text is retried like a batch job and not shown."""
    scenario = scenario_file(
        tmp_path,
        '[[rules]]\nattempts = 2\nfault = { kind = "overloaded", retry_after_s = 0.1 }\n',
    )
    done = run(tmp_path, "tail", "-m", f"sim/{scenario}", "-o", "kept.jsonl", "Hello.")
    assert (done.returncode, done.stderr) == (0, "")
    outcomes = [attempt["outcome"] for attempt in records(tmp_path / "kept.jsonl")[0]["attempts"]]
    assert outcomes == ["overloaded", "overloaded", "ok"]


def test_an_answer_that_breaks_off_stays(tmp_path: Path) -> None:
    """Cut in the middle, the text stays, stderr says so, the record is interrupted, code 1."""
    scenario = scenario_file(tmp_path, '[[rules]]\nfault = { kind = "reset", after_tokens = 5 }\n')
    done = run(tmp_path, "tail", "-m", f"sim-anthropic/{scenario}", "-o", "kept.jsonl", "Hello.")
    assert done.returncode == 1
    assert "broken off" in done.stderr
    assert "Ask again" not in done.stderr
    record = records(tmp_path / "kept.jsonl")[0]
    assert record["status"] == "interrupted"
    assert record["text"] == done.stdout != ""
    assert record["usage"] is None or not record["usage"]["complete"]


def test_a_file_name_is_not_a_question(tmp_path: Path) -> None:
    """A single word that names a file is refused with a hint."""
    (tmp_path / "notes.txt").write_text("notes")
    done = run(tmp_path, "tail", "-m", "sim/steady", "notes.txt")
    assert done.returncode == 2
    assert "runner tail < notes.txt" in done.stderr


def test_records_are_appended(tmp_path: Path) -> None:
    """Two questions with the same -o are two records in one file that show and export read."""
    for words in ("One?", "Two?"):
        assert run(tmp_path, "tail", "-m", "sim/steady", "-o", "kept.jsonl", words).returncode == 0
    assert len(records(tmp_path / "kept.jsonl")) == 2
    exported = run(tmp_path, "export", "kept.jsonl", "--as", "jsonl")
    assert len([json.loads(line) for line in exported.stdout.splitlines()]) == 2


def test_one_question_loads_nothing_of_a_conversation(tmp_path: Path) -> None:
    """What only a conversation needs is not imported; what is kept of it is loaded at the end."""
    code = (
        "import sys; from runner.cli.main import run;"
        "run(['tail', '-m', 'sim/steady', 'hi']); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = done.stderr.split()
    assert "runner.run.tail" in loaded
    assert not {"prompt_toolkit", "runner.run.conversing", "runner.view.thinking"} & set(loaded)
    # In the order in which they were loaded: what is imported for the answer stands before.
    assert loaded.index("runner.run.remembering") > loaded.index("runner.providers.sse")
