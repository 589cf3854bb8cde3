"""Signals that come when the last answer is in: nothing is left to stop."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.running import PATIENCE_S, lines_of, pointing_at, start, wait_until, write_jobs
from tests.simulated import Endpoints, simulator_in_thread


@pytest.fixture(scope="module")
def endpoints() -> Iterator[Endpoints]:
    """A simulator."""
    with simulator_in_thread() as found:
        yield found


@pytest.mark.parametrize("delay_ms", [0, 20, 50, 90, 140])
def test_a_late_signal_changes_nothing(tmp_path: Path, endpoints: Endpoints, delay_ms: int) -> None:
    """All answered is 0, told and summed up, though SIGTERM comes while the run ends."""
    write_jobs(tmp_path / "jobs.jsonl", 6)
    process = start(
        tmp_path,
        "batch",
        "jobs.jsonl",
        "-m",
        "openai/m",
        "--summary-json",
        "summary.json",
        env=pointing_at(endpoints),
    )
    wait_until(lambda: lines_of(tmp_path / "jobs.results.jsonl") == 6)
    time.sleep(delay_ms / 1000)  # the moment is what is tested
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, stderr
    assert b"6 of 6 answered" in stderr
    assert json.loads((tmp_path / "summary.json").read_text())["exit_code"] == 0
