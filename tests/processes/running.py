"""Run `runner` as a process, in an environment that holds no keys and no configuration."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.processes.forked import may_fork, run_forked
from tests.simulated import Endpoints

PATIENCE_S = 60


def environment(folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give what every process needs and nothing of the machine's own settings."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")}
    state = {"XDG_STATE_HOME": str(folder / "state")}
    return {**kept, **home, **state, **(extra or {})}


def pointing_at(endpoints: Endpoints) -> dict[str, str]:
    """Let the built-in providers talk to a simulator that runs already."""
    return {
        "OPENAI_API_KEY": "sk-test-openai",
        "OPENAI_BASE_URL": endpoints.openai_base_url,
        "ANTHROPIC_API_KEY": "sk-test-anthropic",
        "ANTHROPIC_BASE_URL": endpoints.anthropic_base_url,
    }


def command(*arguments: str | Path) -> list[str]:
    """Give the command line of a call."""
    return [sys.executable, "-m", "runner", *map(str, arguments)]


def run(
    folder: Path,
    *arguments: str | Path,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run to the end, in `folder`; stdin is empty where none is given."""
    if may_fork(env or {}):
        return run_forked(
            folder, list(map(str, arguments)), environment(folder, env), stdin, PATIENCE_S
        )
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(folder, env),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def start(
    folder: Path,
    *arguments: str | Path,
    env: Mapping[str, str] | None = None,
    stdin: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start and give the process, its stdout and stderr as pipes."""
    return subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(folder, env),
        stdin=subprocess.DEVNULL if stdin is None else stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def write_jobs(path: Path, count: int, **extra: object) -> list[str]:
    """Write so many native jobs and give their ids."""
    ids = [f"job-{number:04d}" for number in range(count)]
    with path.open("w", encoding="utf-8") as file:
        for number, job_id in enumerate(ids):
            prompt = f"Tell me something about the number {number}."
            file.write(json.dumps({"id": job_id, "prompt": prompt, **extra}) + "\n")
    return ids


def records(path: Path) -> list[dict[str, Any]]:
    """Read a results file; a line that is not whole fails the test."""
    data = path.read_bytes()
    assert data.endswith(b"\n") or not data, "the last line is torn"
    return [json.loads(line) for line in data.split(b"\n") if line]


def wait_until(holds: Callable[[], bool], patience_s: float = 20) -> None:
    """Wait for a state of another process."""
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)  # another process's state can only be asked for


def is_heard(process: int, number: int) -> bool:
    """Whether a process has a handler of its own for a signal; asks Linux."""
    status = Path(f"/proc/{process}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def lines_of(path: Path) -> int:
    """Count the whole lines of a file that may not exist yet."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


def read_some(process: subprocess.Popen[bytes], patience_s: float = 20) -> bytes:
    """Wait for the next bytes on stdout and read them."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], patience_s)
    assert ready, "nothing came"
    return os.read(process.stdout.fileno(), 65536)
