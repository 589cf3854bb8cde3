"""A working directory and environment of a test's own, and commands that only hand over."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runner.cli.main import run
from runner.config import Config
from runner.errors import ExitCode
from runner.settings import BatchSettings, TailSettings


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, no configuration, no variables of runner or the SDKs."""
    for name in os.environ:
        if name.startswith(("RUNNER_", "OPENAI_", "ANTHROPIC_", "_RUNNER_")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    (home / "runner").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


@dataclass
class HandedOver:
    """What the command line gave to the run, in order."""

    batch: list[BatchSettings] = field(default_factory=list)
    tail: list[TailSettings] = field(default_factory=list)
    configs: list[Config] = field(default_factory=list)
    code: ExitCode = ExitCode.OK


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> HandedOver:
    """Catch settings where the run would begin."""
    caught = HandedOver()

    def run_batch(settings: BatchSettings, config: Config) -> ExitCode:
        caught.batch.append(settings)
        caught.configs.append(config)
        return caught.code

    def run_tail(settings: TailSettings, config: Config) -> ExitCode:
        caught.tail.append(settings)
        caught.configs.append(config)
        return caught.code

    monkeypatch.setattr("runner.run.batch.run_batch", run_batch)
    monkeypatch.setattr("runner.run.tail.run_tail", run_tail)
    return caught


@pytest.fixture
def batch(handed: HandedOver) -> "Batch":
    """Call `runner batch` and get the settings that it makes."""
    return Batch(handed)


@dataclass
class Batch:
    """Calls `runner batch` and takes what it hands over."""

    handed: HandedOver

    def __call__(self, *arguments: str) -> BatchSettings:
        assert run(["batch", "jobs.jsonl", *arguments]) == 0
        return self.handed.batch[-1]


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Call runner, expect exit code 2 and nothing on stdout, and give what it said."""
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Error: ")
    assert max(map(len, err.splitlines())) <= 80
    return err
