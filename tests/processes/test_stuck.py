"""Promises of a run whose terminal is stopped, or whose reader has stopped reading."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes.running import (
    PATIENCE_S,
    command,
    environment,
    lines_of,
    pointing_at,
    records,
    wait_until,
    write_jobs,
)
from tests.processes.terminals import terminal
from tests.simulated import Endpoints, reset_stats, scenario_file, simulator, stats, wait_for_stats

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the size of a pipe can be chosen on Linux only"
)

SCENARIO = """
[answer]
min_tokens = 20
mean_tokens = 20
max_tokens = 20
[speed]
first_token_s = 0.05
jitter = 0
tokens_per_second = 400
[[rules]]
match = "failing"
attempts = 3
fault = { kind = "status", status = 500 }
[[rules]]
match = "long"
reply = { text = "%s" }
[[rules]]
match = "slow"
speed = { first_token_s = 0.1, jitter = 0, tokens_per_second = 4 }
""" % ("word " * 200)
CTRL_S, CTRL_Q = "\x13", "\x11"
BATCH = ("batch", "jobs.jsonl", "-m", "openai/m")
QUICK_S = 5.0
"""How long an end may take where somebody or something is stuck; on a busy machine, too."""


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator whose behaviour is chosen by words of the prompt."""
    with simulator(scenario_file(tmp_path_factory.mktemp("scenario"), SCENARIO)) as found:
        yield found


@pytest.fixture
def env(endpoints: Endpoints) -> dict[str, str]:
    """The built-in providers talk to the simulator, which counts from zero."""
    reset_stats(endpoints)
    return pointing_at(endpoints)


@contextmanager
def unread(
    folder: Path, *arguments: str, env: dict[str, str], stream: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Start with one stream in a small pipe that nobody reads, the other one nowhere."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: writer}
    process = subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(folder, env),
        stdin=subprocess.DEVNULL,
        stdout=streams["stdout"],
        stderr=streams["stderr"],
    )
    os.close(writer)
    try:
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE_S)
        os.close(reader)


def ids(path: Path) -> list[str]:
    """Name the records of a file in their order."""
    return [record["id"] for record in records(path)]


@pytest.mark.parametrize("option", ["-v", "--unordered"])
def test_work_goes_on_while_the_terminal_is_stopped(
    tmp_path: Path, env: dict[str, str], endpoints: Endpoints, option: str
) -> None:
    """After Ctrl-S requests go out as before; after Ctrl-Q the screen goes on, and the end is 0."""
    write_jobs(tmp_path / "jobs.jsonl", 80)
    with terminal(tmp_path, *BATCH, "-c", "4", option, env=env) as shown:
        shown.wait_for("4 at once (-c)")
        shown.type(CTRL_S)
        before = stats(endpoints)["requests"]
        wait_for_stats(endpoints, lambda seen: seen["requests"] > before + 40, 30)
        seen = shown.raw
        shown.type(CTRL_Q)
        assert shown.end() == 0
    assert "jobs.jsonl: 80 of 80 answered in " not in seen
    assert "jobs.jsonl: 80 of 80 answered in " in shown.raw
    assert len(records(tmp_path / "jobs.results.jsonl")) == 80


def test_two_signals_end_a_run_on_a_dead_terminal(tmp_path: Path, env: dict[str, str]) -> None:
    """A terminal that is stopped for ever keeps no run from ending, its results in order."""
    job_ids = write_jobs(tmp_path / "jobs.jsonl", 30)
    write_jobs(tmp_path / "slow.jsonl", 8, system="slow")
    with (tmp_path / "jobs.jsonl").open("a") as file:
        file.write((tmp_path / "slow.jsonl").read_text().replace("job-", "slow-"))
    with terminal(tmp_path, *BATCH, "-c", "4", "-v", env=env) as shown:
        shown.wait_for("4 at once (-c)")
        shown.type(CTRL_S)
        wait_until(lambda: lines_of(tmp_path / "jobs.results.jsonl") == len(job_ids))
        shown.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)  # two signals at once are one
        shown.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert shown.process.wait(PATIENCE_S) == 143
        assert time.monotonic() - began < QUICK_S
    found = ids(tmp_path / "jobs.results.jsonl")
    assert found == [*job_ids, "slow-0000", "slow-0001", "slow-0002", "slow-0003"]


def test_a_stderr_that_nobody_reads_holds_nothing_up(
    tmp_path: Path, env: dict[str, str], endpoints: Endpoints
) -> None:
    """150 retries told to a full pipe: all is answered and recorded, and the end is 0."""
    job_ids = write_jobs(tmp_path / "jobs.jsonl", 50, system="failing")
    with unread(tmp_path, *BATCH, "-v", "-c", "64", env=env, stream="stderr") as process:
        assert process.wait(PATIENCE_S) == 0
    assert stats(endpoints)["requests"] == 4 * 50
    assert ids(tmp_path / "jobs.results.jsonl") == job_ids


def test_an_error_that_nobody_reads_keeps_its_code(tmp_path: Path, env: dict[str, str]) -> None:
    """A refusal longer than the pipe ends with its exit code all the same."""
    (tmp_path / "jobs.jsonl").write_text('{"prompt": "x", "%s": 1}\n' % ("k" * 300) * 30)
    with unread(tmp_path, *BATCH, env=env, stream="stderr") as process:
        assert process.wait(PATIENCE_S) == 2


def test_live_text_that_nobody_reads_is_stopped_at_once(
    tmp_path: Path, env: dict[str, str]
) -> None:
    """Ctrl-C before a reader that has stopped ends a watched batch; what came is kept."""
    write_jobs(tmp_path / "jobs.jsonl", 12, system="long")
    with (tmp_path / "jobs.jsonl").open("a") as file:
        file.write('{"id": "cut", "prompt": "slow"}\n')
    with unread(tmp_path, *BATCH, "--tail", env=env, stream="stdout") as process:
        wait_until(lambda: lines_of(tmp_path / "jobs.results.jsonl") == 12)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert process.wait(PATIENCE_S) == 130
        assert time.monotonic() - began < QUICK_S
    found = records(tmp_path / "jobs.results.jsonl")
    assert [record["status"] for record in found] == ["succeeded"] * 12 + ["interrupted"]


@pytest.mark.parametrize("signals", [1, 2])
def test_records_that_nobody_reads_are_stopped(
    tmp_path: Path, env: dict[str, str], endpoints: Endpoints, signals: int
) -> None:
    """With -o - a reader that has stopped holds up neither the first Ctrl-C nor the second."""
    write_jobs(tmp_path / "jobs.jsonl", 60, system="long")
    with unread(tmp_path, *BATCH, "-o", "-", "-c", "4", env=env, stream="stdout") as process:
        wait_for_stats(endpoints, lambda seen: seen["requests"] >= 8, 30)
        for _ in range(signals):
            time.sleep(0.3)  # two signals at once are one
            process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert process.wait(PATIENCE_S) == 130
        assert time.monotonic() - began < QUICK_S
