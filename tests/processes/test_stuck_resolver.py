"""A resolver that never answers: nothing waits for it, neither the records nor the end."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.processes.running import (
    PATIENCE_S,
    lines_of,
    pointing_at,
    records,
    start,
    wait_until,
    write_jobs,
)
from tests.simulated import simulator

STUCK = """
import socket
import sys
import threading

_asked = socket.getaddrinfo


def _ask(host, *arguments, **options):
    if isinstance(host, bytes):
        host = host.decode()
    if not str(host).endswith("stuck.example"):
        return _asked(host, *arguments, **options)
    open("asked", "a").write("x\\n")
    threading.Event().wait()


socket.getaddrinfo = _ask
"""
CONFIG = """
[providers.stuck]
api = "openai"
base_url = "http://stuck.example/v1"
"""
SLACK_S = 8
"""On a busy machine; a wait for the resolver would never end."""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Give every Python that starts a resolver that is stuck for one host."""
    (tmp_path / "patch").mkdir()
    (tmp_path / "patch" / "sitecustomize.py").write_text(STUCK)
    (tmp_path / "stuck.toml").write_text(CONFIG)
    return {"PYTHONPATH": str(tmp_path / "patch"), "RUNNER_CONFIG": "stuck.toml"}


def ended(process: subprocess.Popen[bytes], within_s: float) -> bytes:
    """Wait for the end, and fail where it does not come in time; give what it said."""
    try:
        _, stderr = process.communicate(timeout=within_s)
    finally:
        process.kill()
        process.wait()
    return stderr


@pytest.mark.parametrize("command", ["batch", "batch --tail", "tail"])
def test_a_stop_waits_for_no_resolver(tmp_path: Path, env: dict[str, str], command: str) -> None:
    """After the last Ctrl-C the process ends at once, with the records of what it cut off."""
    write_jobs(tmp_path / "jobs.jsonl", 3)
    name, *options = command.split()
    what = ["jobs.jsonl", "-c", "2", *options] if name == "batch" else ["Hi?", "-o", "out.jsonl"]
    process = start(tmp_path, name, "-m", "stuck/m", *what, env=env)
    wait_until(lambda: lines_of(tmp_path / "asked") > 0)
    if command == "batch":
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        while b"Ctrl-C again" not in (line := process.stderr.readline()):
            assert line
    process.send_signal(signal.SIGINT)
    stderr = ended(process, SLACK_S)
    assert process.returncode == 130, stderr
    kept = tmp_path / ("jobs.results.jsonl" if name == "batch" else "out.jsonl")
    assert {record["status"] for record in records(kept)} == {"interrupted"}


def test_the_end_waits_for_no_resolver(tmp_path: Path, env: dict[str, str]) -> None:
    """A run whose jobs have failed in time ends by itself."""
    write_jobs(tmp_path / "jobs.jsonl", 1)
    options = ("--max-attempts", "1", "--attempt-timeout", "1")
    process = start(tmp_path, "batch", "jobs.jsonl", "-m", "stuck/m", *options, env=env)
    wait_until(lambda: lines_of(tmp_path / "jobs.results.jsonl") == 1)
    stderr = ended(process, SLACK_S)
    assert process.returncode == 1, stderr
    assert records(tmp_path / "jobs.results.jsonl")[0]["error"]["kind"] == "timeout"


def test_many_stuck_lookups_hold_no_answer(tmp_path: Path, env: dict[str, str]) -> None:
    """However many lookups are stuck, answers of others are recorded as they come."""
    hosts = "".join(
        f'[providers.s{n}]\napi = "openai"\nbase_url = "http://s{n}.stuck.example/v1"\n'
        for n in range(40)
    )
    (tmp_path / "stuck.toml").write_text(hosts)
    lines = [f'{{"prompt": "stuck {n}", "model": "s{n}/m"}}\n' for n in range(40)]
    lines += [f'{{"prompt": "Tell me {n}.", "model": "openai/m"}}\n' for n in range(40)]
    (tmp_path / "jobs.jsonl").write_text("".join(lines))
    with simulator() as endpoints:
        both = {**env, **pointing_at(endpoints)}
        options = ("-c", "60", "--grace", "0")
        process = start(tmp_path, "batch", "jobs.jsonl", *options, env=both)
        wait_until(lambda: lines_of(tmp_path / "asked") == 40)
        wait_until(lambda: lines_of(tmp_path / "jobs.results.jsonl") == 40)
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        stderr = ended(process, PATIENCE_S)
    assert process.returncode == 143, stderr
    assert time.monotonic() - began < SLACK_S
    assert b"40 of 80 answered, 40 cut off" in b" ".join(stderr.split())
