"""The way in, in this process: what is set up before anything else."""

import gc
import os
import signal
import sys
from collections.abc import Iterator

import pytest

from runner.__main__ import enter
from runner.cli.early import end_on_signals
from runner.cli.failures import guarded

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Leave the signals and the garbage collector as they were."""
    before = {number: signal.getsignal(number) for number in ENDING}
    yield
    gc.enable()
    for number, handler in before.items():
        signal.signal(number, handler)


def test_main_takes_the_command_line_and_returns_the_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The console script returns what the command returned, which no signal changes any more."""
    monkeypatch.setattr(sys, "argv", ["runner", "frobnicate"])
    assert enter() == 2
    assert "no command frobnicate" in capsys.readouterr().err
    assert all(signal.getsignal(number) == signal.SIG_IGN for number in ENDING)


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_ends_with_its_own_code(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code is 128 and the signal's number, as a shell has it."""
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    end_on_signals()
    signal.raise_signal(number)
    assert codes == [128 + number]


def test_an_ignored_signal_is_left_alone() -> None:
    """What `nohup` or a background shell ignores is not taken up again."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    end_on_signals()
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_an_exit_that_was_asked_for_is_no_failure() -> None:
    """Completion ends the process by itself; that passes through."""

    def leave() -> int:
        raise SystemExit(0)

    with pytest.raises(SystemExit):
        guarded(leave)
