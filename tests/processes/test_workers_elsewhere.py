"""Worker processes are found and work wherever and however runner is called."""

import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import runner
from tests.processes.running import (
    PATIENCE_S,
    environment,
    pointing_at,
    records,
    wait_until,
    write_jobs,
)
from tests.simulated import Endpoints, simulator
from tests.workers.asking import children

BATCH = ["batch", "jobs.jsonl", "-m", "openai/m", "--processes", "2", "-q"]


@pytest.fixture(scope="module")
def endpoints() -> Iterator[Endpoints]:
    """A simulator."""
    with simulator() as found:
        yield found


def test_by_the_script_from_a_folder_full_of_traps(tmp_path: Path, endpoints: Endpoints) -> None:
    """Under nohup, in a pipe, stdin closed, beside files that are named as modules are."""
    script = Path(sysconfig.get_path("scripts")) / "runner"
    assert script.exists(), "the package is not installed with its command"
    write_jobs(tmp_path / "jobs.jsonl", 6)
    (tmp_path / "runner").mkdir()
    for name in ("runner/__init__", "random", "selectors", "aiohttp", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('it ran what lies in the folder')\n")
    call = " ".join(["nohup", str(script), *BATCH, "-o", "-", "<&-", "|", "cat"])
    done = subprocess.run(
        ["/bin/sh", "-c", call],
        cwd=tmp_path,
        env=environment(tmp_path, pointing_at(endpoints)),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert done.stdout.count('"status":"succeeded"') == 6
    assert "it ran what lies in the folder" not in done.stdout + done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_from_a_zip(tmp_path: Path, endpoints: Endpoints) -> None:
    """The modules of the workers are the ones of the run, even out of an archive."""
    archive, root = tmp_path / "runner.zip", Path(runner.__file__).parents[1]
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted((root / "runner").rglob("*.py")):
            file.write(path, path.relative_to(root))
    write_jobs(tmp_path / "jobs.jsonl", 6)
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", *BATCH],
        cwd=tmp_path,
        env=environment(tmp_path, {**pointing_at(endpoints), "PYTHONPATH": str(archive)}),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: len(children(process.pid)) == 2)
    shown = Path(f"/proc/{children(process.pid)[0]}/cmdline").read_bytes().split(b"\0")
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, stderr) == (0, b"")
    assert len(records(tmp_path / "jobs.results.jsonl")) == 6
    searched = [part for part in shown if part in (bytes(archive), bytes(root))]
    assert searched[0] == bytes(archive)
