"""A run with worker processes, as the system sees it: kills, signals, and what is left behind."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
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
    wait_until,
    write_jobs,
)
from tests.processes.test_groups import alive
from tests.simulated import (
    Endpoints,
    reset_stats,
    scenario_file,
    simulator,
    stats,
    wait_for_stats,
)
from tests.workers.asking import children

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

SCENARIO = """
[answer]
min_tokens = 5
mean_tokens = 5
max_tokens = 5
[speed]
first_token_s = 0.7
jitter = 0
[[rules]]
match = "stuck"
fault = { kind = "stall" }
"""
BATCH = ("batch", "jobs.jsonl", "-m", "openai/m", "--processes", "2")
RESULTS = "jobs.results.jsonl"
KEY = "sk-test-openai"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator that takes its time."""
    with simulator(scenario_file(tmp_path_factory.mktemp("scenario"), SCENARIO)) as found:
        yield found


@pytest.fixture
def endpoints(running: Endpoints) -> Endpoints:
    """The same, counting from zero."""
    wait_for_stats(running, lambda seen: seen["in_flight"] == 0)
    reset_stats(running)
    return running


def started(
    folder: Path, endpoints: Endpoints, *options: str, out: int
) -> tuple[subprocess.Popen[bytes], list[int]]:
    """Start a run as the leader of a group; give it and its workers once so much is out."""
    process = subprocess.Popen(
        command(*BATCH, *options),
        cwd=folder,
        env=environment(folder, pointing_at(endpoints)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    wait_for_stats(endpoints, lambda seen: seen["in_flight"] == out)
    return process, children(process.pid)


def test_a_killed_worker_costs_no_answer(tmp_path: Path, endpoints: Endpoints) -> None:
    """What it had out is asked again, noted as an attempt of its own; nothing else is."""
    ids = write_jobs(tmp_path / "jobs.jsonl", 12)
    process, workers = started(tmp_path, endpoints, "-c", "4", out=4)
    shown = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in (*workers, process.pid)]
    os.kill(workers[0], signal.SIGKILL)
    wait_until(lambda: len(children(process.pid)) == 2 and workers[0] not in children(process.pid))
    stdout, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, stderr
    found = records(tmp_path / RESULTS)
    assert [record["id"] for record in found] == ids
    assert {record["status"] for record in found} == {"succeeded"}
    outcomes = Counter(one["outcome"] for record in found for one in record["attempts"])
    assert outcomes == {"ok": 12, "internal": 2}, "half of what was out was at that worker"
    assert stats(endpoints)["requests"] == 14
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert KEY.encode() not in stdout + stderr + written + b"".join(shown)


def test_a_killed_run_takes_its_workers_along(tmp_path: Path, endpoints: Endpoints) -> None:
    """They end by themselves in a moment, and the next run pays again only for what was out."""
    ids = write_jobs(tmp_path / "jobs.jsonl", 12)
    process, workers = started(tmp_path, endpoints, "-c", "4", out=4)
    wait_until(lambda: lines_of(tmp_path / RESULTS) >= 4)
    wait_for_stats(endpoints, lambda seen: seen["requests"] == 8)
    assert len(workers) == 2
    process.kill()
    process.communicate()
    wait_until(lambda: not any(map(alive, workers)), patience_s=2)
    answered = lines_of(tmp_path / RESULTS)
    again = run(tmp_path, *BATCH, "-c", "4", env=pointing_at(endpoints))
    assert again.returncode == 0, again.stderr
    assert "4 were on their way when the last run was killed" in again.stderr
    assert stats(endpoints)["requests"] == 8 + 12 - answered
    assert [record["id"] for record in records(tmp_path / RESULTS)] == ids


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_to_all_processes_drains(
    tmp_path: Path, endpoints: Endpoints, number: signal.Signals, code: int
) -> None:
    """Ctrl-C to the group, or systemd's stop of all processes: what is out is still recorded."""
    ids = write_jobs(tmp_path / "jobs.jsonl", 12)
    process, workers = started(tmp_path, endpoints, "-c", "4", out=4)
    for pid in workers:
        os.kill(pid, number)
    os.killpg(process.pid, number)
    stdout, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code, stderr
    assert stdout == b""
    found = records(tmp_path / RESULTS)
    assert [record["id"] for record in found] == ids[:4]
    assert {len(record["attempts"]) for record in found} == {1}
    assert stats(endpoints)["requests"] == 4
    assert not any(map(alive, workers))


def test_a_second_interrupt_cuts_off(tmp_path: Path, endpoints: Endpoints) -> None:
    """It ends at once, the connections are closed, and the jobs are recorded as interrupted."""
    write_jobs(tmp_path / "jobs.jsonl", 6, system="stuck")
    process, workers = started(tmp_path, endpoints, "-c", "4", out=4)
    os.killpg(process.pid, signal.SIGINT)
    assert process.stderr is not None
    told = b""
    while b"Stopping: 4 answers on their way" not in told:
        told += os.read(process.stderr.fileno(), 4096)
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert time.monotonic() - began < 5
    found = records(tmp_path / RESULTS)
    assert [record["status"] for record in found] == ["interrupted"] * 4
    assert {record["interruption"]["reason"] for record in found} == {"sigint"}
    assert not any(map(alive, workers))
    wait_for_stats(endpoints, lambda seen: seen["in_flight"] == 0)


def test_a_frozen_worker_holds_the_run_up_for_a_timeout_only(
    tmp_path: Path, endpoints: Endpoints
) -> None:
    """What a stopped process had out is asked again by the other one; its end is not waited for."""
    ids = write_jobs(tmp_path / "jobs.jsonl", 6)
    options = ("-c", "2", "--attempt-timeout", "2s", "--max-attempts", "2")
    process, workers = started(tmp_path, endpoints, *options, out=2)
    os.kill(workers[0], signal.SIGSTOP)
    began = time.monotonic()
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, stderr
    assert time.monotonic() - began < 10
    found = records(tmp_path / RESULTS)
    assert [record["id"] for record in found] == ids
    outcomes = Counter(one["outcome"] for record in found for one in record["attempts"])
    assert outcomes == {"ok": 6, "timeout": 1}
    assert not any(map(alive, workers))


def test_workers_that_cannot_start_are_one_sentence(tmp_path: Path, endpoints: Endpoints) -> None:
    """Exit 2 before anything is sent or written, with the reason and a way on; no traceback."""
    write_jobs(tmp_path / "jobs.jsonl", 2)
    damaged = tmp_path / "damaged" / "aiohttp"
    damaged.mkdir(parents=True)
    (damaged / "__init__.py").write_text("raise ImportError('a damaged package')\n")
    env = {**pointing_at(endpoints), "PYTHONPATH": str(damaged.parent)}
    told = run(tmp_path, *BATCH, "--summary-json", "summary.json", env=env)
    assert told.returncode == 2
    assert told.stderr == (
        "Error: a worker process could not open it: ImportError: a damaged package\n"
    )
    assert stats(endpoints)["requests"] == 0
    assert not (tmp_path / "summary.json").exists()
    assert not (tmp_path / RESULTS).exists()
