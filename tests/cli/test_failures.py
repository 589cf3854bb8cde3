"""From an exception to words and an exit code."""

import errno
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import click
import pytest

from runner.cli.failures import guarded
from runner.cli.main import run
from runner.errors import ExitCode, LockedError, RunnerError, UsageError, WriteError


class LimitReached(RunnerError):  # noqa: N818 - stands for any error of this family
    """An error with a code of its own."""

    exit_code = ExitCode.LIMIT


def raising(error: BaseException) -> Callable[[], int]:
    """An action that ends so."""

    def act() -> NoReturn:
        raise error

    return act


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("no model chosen.\nAdd -m."), 2, "Error: no model chosen.\nAdd -m.\n"),
        (LimitReached("enough."), 3, "Error: enough.\n"),
        (WriteError("the disk is full."), 74, "Error: the disk is full.\n"),
        (LockedError("another run holds it."), 75, "Error: another run holds it.\n"),
        (click.UsageError("no."), 2, "Error: no.\n"),
        (click.ClickException("no."), 2, "Error: no.\n"),
        (KeyboardInterrupt(), 130, ""),
        (click.Abort(), 130, ""),
        (click.exceptions.Exit(5), 5, ""),
        (ExceptionGroup("", [ExceptionGroup("", [UsageError("deep.")])]), 2, "Error: deep.\n"),
        (UsageError("from \x1b[31mafar\x07."), 2, "Error: from \\x1b[31mafar\\x07.\n"),
    ],
)
def test_each_end_has_its_words_and_code(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, said: str
) -> None:
    """Foreseen errors are told in their own words, interruptions in none."""
    assert guarded(raising(error)) == code
    assert capsys.readouterr() == ("", said)


def test_the_code_of_a_command_passes_through() -> None:
    """What a command returns is returned."""
    assert guarded(lambda: 4) == 4


def test_an_unforeseen_error_shows_no_innards(capsys: pytest.CaptureFixture[str]) -> None:
    """A person is told that it is our fault, without exception names or a stack."""
    assert guarded(raising(ZeroDivisionError("x"))) == 1
    err = capsys.readouterr().err
    assert "internal error" in err
    assert "ZeroDivision" not in err
    assert "Traceback" not in err
    assert max(map(len, err.splitlines())) <= 80


def test_a_developer_can_ask_for_the_stack_without_keys(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With RUNNER_DEBUG the stack is shown, and no key that the environment holds."""
    monkeypatch.setenv("RUNNER_DEBUG", "1")
    monkeypatch.setenv("VLLM_API_KEY", "sk-verysecret")
    assert guarded(raising(ZeroDivisionError("sk-verysecret"))) == 1
    err = capsys.readouterr().err
    assert "ZeroDivisionError: ***" in err
    assert "verysecret" not in err


def test_the_stack_holds_no_key_that_a_configuration_names(
    capsys: pytest.CaptureFixture[str], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key in a variable of an odd name is hidden as those are whose names say it."""
    (here / "conf.toml").write_text(
        '[providers.v]\napi = "openai"\nbase_url = "http://127.0.0.1:9"\napi_key_env = "MY_THING"\n'
    )
    monkeypatch.setenv("RUNNER_DEBUG", "1")
    monkeypatch.setenv("MY_THING", "odd-canary-1")

    def broken(*_: object) -> NoReturn:
        raise ZeroDivisionError("with odd-canary-1")

    monkeypatch.setattr("runner.run.batch.run_batch", broken)
    assert run(["--config", "conf.toml", "batch", "jobs.jsonl", "-m", "v/m"]) == 1
    err = capsys.readouterr().err
    assert "ZeroDivisionError: with ***" in err
    assert "canary" not in err


def test_long_lines_are_broken_but_not_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """Sentences fit the screen; a command to paste stays on its line."""
    command = "Do it so:  runner batch " + "x" * 80
    guarded(raising(UsageError(f"{'word ' * 30}\n{command}\n  jobs.jsonl:1: {'word ' * 30}")))
    lines = capsys.readouterr().err.splitlines()
    assert command in lines
    assert all(len(line) <= 80 for line in lines if line != command)
    assert any(line.startswith("    word") for line in lines)  # the list's lines hang


class Broken(io.StringIO):
    """A stream whose reader went away, or whose disk is full."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error

    def flush(self) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (BrokenPipeError(), 141, ""),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            74,
            "Error: cannot write to standard output: No space left on device.\n",
        ),
    ],
)
def test_stdout_that_takes_no_more_is_an_end_of_its_own(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: OSError,
    code: int,
    said: str,
) -> None:
    """A closed pipe is silent, a full disk is told; the last flush counts too."""
    dropped: list[int] = []
    monkeypatch.setattr("runner.cli.failures._drop", dropped.append)
    monkeypatch.setattr(sys, "stdout", Broken(error))
    assert guarded(lambda: 0) == code
    assert dropped == [1]
    assert capsys.readouterr().err == said


def test_an_error_that_is_not_stdouts_is_not_blamed_on_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An OSError from elsewhere is an internal error."""
    assert guarded(raising(OSError(errno.ENOSPC, "No space", "some.file"))) == 1
    assert "internal error" in capsys.readouterr().err


def test_without_stderr_the_code_still_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed or broken stderr changes no exit code."""
    monkeypatch.setattr(sys, "stderr", None)
    assert guarded(raising(UsageError("no."))) == 2
    monkeypatch.setattr(sys, "stderr", Broken(BrokenPipeError()))
    assert guarded(raising(UsageError("no."))) == 2
    monkeypatch.setattr(sys, "stdout", None)
    assert guarded(lambda: 3) == 3
