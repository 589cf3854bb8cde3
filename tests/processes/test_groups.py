"""Signals as terminals, cron and systemd send them: to every process at once, or to none."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.processes.running import (
    PATIENCE_S,
    command,
    environment,
    lines_of,
    records,
    wait_until,
    write_jobs,
)
from tests.simulated import scenario_file

SLOW = "[speed]\nfirst_token_s = 1.5\njitter = 0\n"


def in_a_group(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start runner as the leader of a process group, as a shell does."""
    return subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def simulators_of(pid: int) -> list[int]:
    """Ask the system for a process's children that are simulators."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    )
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    return [int(row[0]) for row in rows if int(row[1]) == pid and "runner.simulator" in row[2]]


def alive(pid: int) -> bool:
    """Whether a process is there and not merely waited for."""
    listed = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return bool(listed.stdout.strip()) and not listed.stdout.strip().startswith("Z")


def started(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start a run with its own simulator; give both once two answers are on their way."""
    write_jobs(folder / "jobs.jsonl", 4)
    scenario = scenario_file(folder, SLOW)
    process = in_a_group(folder, "batch", "jobs.jsonl", "-m", f"sim/{scenario}", "-c", "2")
    wait_until(lambda: lines_of(folder / "jobs.results.jsonl.journal") >= 2)
    (child,) = simulators_of(process.pid)
    return process, child


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_to_all_of_them_still_drains(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Ctrl-C goes to the whole group, a stop of systemd to every process: answers still arrive."""
    process, child = started(tmp_path)
    os.kill(child, number)  # systemd's way: whatever its group or session
    os.killpg(process.pid, number)
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code, stderr
    assert [record["status"] for record in records(tmp_path / "jobs.results.jsonl")] == [
        "succeeded",
        "succeeded",
    ]
    wait_until(lambda: not alive(child))


def test_a_killed_run_leaves_no_simulator(tmp_path: Path) -> None:
    """`kill -9` takes nothing down with it, so the simulator sees for itself that it is over."""
    process, child = started(tmp_path)
    assert alive(child)
    process.kill()
    process.communicate()
    wait_until(lambda: not alive(child), patience_s=5)


def test_an_ignored_hangup_stays_ignored(tmp_path: Path) -> None:
    """Under nohup, a terminal that closes stops nothing."""
    write_jobs(tmp_path / "jobs.jsonl", 4)
    scenario = scenario_file(tmp_path, SLOW)
    quoted = command("batch", "jobs.jsonl", "-m", f"sim/{scenario}", "-c", "4")
    process = subprocess.Popen(
        ["nohup", *quoted],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    wait_until(lambda: lines_of(tmp_path / "jobs.results.jsonl.journal") >= 2)
    os.killpg(process.pid, signal.SIGHUP)
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, stderr
    assert lines_of(tmp_path / "jobs.results.jsonl") == 4


def test_the_simulator_of_a_person_ends_by_a_signal(tmp_path: Path) -> None:
    """Started by hand it is nobody's child, and ends as any server does."""
    process = in_a_group(tmp_path, "simulate", "steady")
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"{")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
