"""Promises of `jobs/cron`: what is installed works as its comments say, and asks nothing twice."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from runner.errors import ExitCode
from runner.settings import DEFAULT_GRACE_S
from tests.samples.comparing import comparable
from tests.samples.make import FOLDER, ROOT

CRON = ROOT / "jobs" / "cron"
SCRIPTS = Path(sys.executable).parent
"""Where `runner` is, which cron would have to be told."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder prepared as the comments say."""
    (tmp_path / "prompts").mkdir()
    shutil.copy(CRON / "nightly.jsonl", tmp_path / "prompts")
    return tmp_path


def test_the_nightly_run_asks_what_is_left(home: Path) -> None:
    """The crontab's command writes the sample, silently; again, or by the unit, sends nothing."""
    variables, command = crontab()
    first = as_a_service(command, home, variables)
    assert (first.returncode, first.stdout, first.stderr) == (0, "", "")
    results = home / "prompts" / "nightly.results.jsonl"
    data, before = results.read_bytes(), results.stat()
    sample = (FOLDER / "nightly.results.jsonl").read_bytes()
    assert comparable("nightly.jsonl", data) == comparable("nightly.jsonl", sample)

    second = as_a_service(command, home, variables)
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")

    service = unit("runner-nightly.service")
    variables = dict(value.split("=", 1) for value in service["Environment"])
    third = as_a_service(f'cd "$HOME/prompts" && {service["ExecStart"][0]}', home, variables)
    assert (third.returncode, third.stdout, third.stderr) == (0, "", "")
    figures = json.loads((home / "prompts" / "nightly.summary.json").read_text(encoding="utf-8"))
    assert (figures["done_before"], figures["requests"]) == (3, 0)

    after = results.stat()
    assert results.read_bytes() == data
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("name", ["crontab", "runner-nightly.service"])
def test_the_job_file_is_there(name: str) -> None:
    """What cron and systemd ask is the file beside them, and a comment says where it goes."""
    command = crontab()[1] if name == "crontab" else unit(name)["ExecStart"][0]
    assert (CRON / shlex.split(command)[-1]).is_file()
    comments = [line for line in (CRON / name).read_text().split("\n") if line.startswith("#")]
    assert any("nightly.jsonl" in line and "~/prompts/" in line for line in comments)


def test_the_unit_and_its_timer_fit() -> None:
    """A stop leaves time for the grace, a held lock is no failure, the timer says when."""
    service, timer = unit("runner-nightly.service"), unit("runner-nightly.timer")
    assert service["WorkingDirectory"] == ["%h/prompts"]
    assert service["SuccessExitStatus"] == [str(int(ExitCode.LOCKED))]
    assert int(service["TimeoutStopSec"][0]) > DEFAULT_GRACE_S
    assert re.fullmatch(r"\*-\*-\* \d\d:\d\d:\d\d", timer["OnCalendar"][0])


def crontab() -> tuple[dict[str, str], str]:
    """Read the variables and the one command."""
    variables: dict[str, str] = {}
    commands = []
    for line in (CRON / "crontab").read_text(encoding="utf-8").split("\n"):
        if setting := re.fullmatch(r"([A-Z_]+)=(.*)", line):
            variables[setting[1]] = setting[2]
        elif line and not line.startswith("#"):
            *times, command = line.split(maxsplit=5)
            assert len(times) == 5
            assert all(re.fullmatch(r"[\d*,/-]+", time) for time in times)
            # cron ends a command at a percent sign.
            assert "%" not in command
            commands.append(command)
    assert len(commands) == 1
    return variables, commands[0]


def unit(name: str) -> dict[str, list[str]]:
    """Read a systemd unit: a key may stand there several times."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in (CRON / name).read_text(encoding="utf-8").split("\n"):
        if setting := re.fullmatch(r"([A-Za-z]+)=(.*)", line):
            found[setting[1]].append(setting[2])
    return found


def as_a_service(
    command: str, home: Path, variables: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command as cron and systemd do: with `sh`, a home, its own variables, no terminal."""
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd="/",
        env={"HOME": str(home), **variables, "PATH": f"{SCRIPTS}:{variables['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
