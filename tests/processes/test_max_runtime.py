"""`--max-runtime` by the real process, as cron meets it."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.processes.running import PATIENCE_S, pointing_at, records, run, start, write_jobs
from tests.simulated import scenario_file, simulator, wait_for_stats

SLOW = """
[speed]
first_token_s = 3
jitter = 0
"""


def test_3_when_the_time_is_over(tmp_path: Path) -> None:
    """The run ends with 3, whole answers in its file, and says how to go on."""
    write_jobs(tmp_path / "jobs.jsonl", 400)
    options = ["-m", "sim/steady", "-c", "2"]
    began = time.monotonic()
    env = {"RUNNER_BATCH_MAX_RUNTIME": "5s"}
    done = run(tmp_path, "batch", "jobs.jsonl", *options, env=env)
    assert done.returncode == 3, done.stderr
    assert 5 < time.monotonic() - began < 20
    assert "--max-runtime 5s is over: " in done.stderr
    assert "Stopped by --max-runtime: " in done.stderr
    assert " runner batch jobs.jsonl -m sim/steady -c 2" in done.stderr
    found = records(tmp_path / "jobs.results.jsonl")
    assert 0 < len(found) < 400
    assert {record["status"] for record in found} == {"succeeded"}
    assert not (tmp_path / "jobs.results.jsonl.journal").exists()


def test_a_silent_stdin_holds_nothing(tmp_path: Path) -> None:
    """A pipe that never ends does not outlive the time; its answers have been passed on."""
    process = start(
        tmp_path, "batch", "-", "-m", "sim/steady", "--max-runtime", "5", stdin=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b'{"id": "one", "prompt": "One."}\n')
    process.stdin.flush()
    assert b'"succeeded"' in process.stdout.readline()
    assert process.wait(PATIENCE_S) == 3
    process.communicate()


@pytest.mark.parametrize("late", [True, False])
def test_a_signal_beside_it(tmp_path: Path, late: bool) -> None:
    """A signal after the time is a second one; before it, its own grace counts. Both name it."""
    write_jobs(tmp_path / "jobs.jsonl", 4)
    options = ["-m", "openai/m", "-c", "2", "--max-runtime", "5" if late else "60"]
    with simulator(scenario_file(tmp_path, SLOW if not late else SLOW.replace("3", "60"))) as found:
        process = start(tmp_path, "batch", "jobs.jsonl", *options, env=pointing_at(found))
        assert process.stderr is not None
        wait_for_stats(found, lambda seen: seen["in_flight"] == 2)
        if late:
            while b"--max-runtime 5s is over" not in (line := process.stderr.readline()):
                assert line, "it was never said"
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 143, stderr
    kept = records(tmp_path / "jobs.results.jsonl")
    if late:
        assert time.monotonic() - began < 10
        assert [record["interruption"]["reason"] for record in kept] == ["sigterm"] * 2
    else:
        assert [record["status"] for record in kept] == ["succeeded"] * 2
