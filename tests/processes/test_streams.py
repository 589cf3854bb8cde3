"""Standard streams that are closed, full or left by their reader."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.running import (
    PATIENCE_S,
    command,
    environment,
    lines_of,
    pointing_at,
    records,
    run,
    start,
    wait_until,
    write_jobs,
)
from tests.simulated import Endpoints, scenario_file, simulator_in_thread

RETRIED = """
[[rules]]
attempts = 1
fault = { kind = "rate_limit", retry_after_s = 0.1 }
"""
BATCH = ("batch", "jobs.jsonl", "-m", "openai/m")


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator that refuses every job once."""
    scenario = scenario_file(tmp_path_factory.mktemp("scenario"), RETRIED)
    with simulator_in_thread(scenario) as found:
        yield found


def shell(
    folder: Path, endpoints: Endpoints, redirection: str, *options: str
) -> subprocess.CompletedProcess[str]:
    """Run with a redirection that only a shell can do."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", *command(*BATCH, *options)],
        cwd=folder,
        env=environment(folder, pointing_at(endpoints)),
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize(
    ("redirection", "options", "code"),
    [
        ("2>&-", ["-v"], 0),
        ("2>&-", ["--tail"], 0),
        (">&-", ["--tail"], 74),
        (">&-", ["-o", "-"], 74),
        ("<&- >&- 2>&-", [], 0),
    ],
)
def test_a_closed_stream_harms_nothing(
    tmp_path: Path, endpoints: Endpoints, redirection: str, options: list[str], code: int
) -> None:
    """Results hold records and nothing else, whichever stream was closed at the start."""
    write_jobs(tmp_path / "jobs.jsonl", 5)
    done = shell(tmp_path, endpoints, redirection, *options)
    assert done.returncode == code, done.stderr
    if code == 0:
        found = records(tmp_path / "jobs.results.jsonl")
        assert [record["status"] for record in found] == ["succeeded"] * 5


def test_a_reader_of_stderr_that_goes_away_stops_nothing(
    tmp_path: Path, endpoints: Endpoints
) -> None:
    """With nobody to be told, every job is asked all the same and the code says how it went."""
    write_jobs(tmp_path / "jobs.jsonl", 5)
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        command(*BATCH, "-v"),
        cwd=tmp_path,
        env=environment(tmp_path, pointing_at(endpoints)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=writer,
        timeout=PATIENCE_S,
        check=False,
    )
    os.close(writer)
    assert done.returncode == 0
    assert len(records(tmp_path / "jobs.results.jsonl")) == 5


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device is Linux's")
def test_live_text_on_a_full_disk_is_74(tmp_path: Path, endpoints: Endpoints) -> None:
    """What could not be shown is told as an error, not taken for a reader that went away."""
    write_jobs(tmp_path / "jobs.jsonl", 5)
    done = shell(tmp_path, endpoints, ">/dev/full", "--tail")
    assert done.returncode == 74
    assert "stdout takes no more text: No space left on device." in done.stderr
    again = run(tmp_path, *BATCH, env=pointing_at(endpoints))
    assert again.returncode == 0, again.stderr


def test_a_stop_before_the_end_of_stdin_leaves_work_undone(
    tmp_path: Path, endpoints: Endpoints
) -> None:
    """While stdin is open more may come: Ctrl-C is 130 though all that came is answered."""
    process = start(
        tmp_path,
        "batch",
        "-",
        "-m",
        "openai/m",
        "-o",
        "out.jsonl",
        env=pointing_at(endpoints),
        stdin=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(b'{"id": "a", "prompt": "A first question."}\n')
    process.stdin.flush()
    wait_until(lambda: lines_of(tmp_path / "out.jsonl") == 1)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 130
    _, stderr = process.communicate()
    assert b"Stopped by Ctrl-C: 1 answered" in stderr
