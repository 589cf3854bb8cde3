"""Signals when a batch has worked, in this process."""

import os
import signal

import pytest

from runner.run.signals import REASONS, handlers_restored, hush


def test_the_first_late_signal_is_passed_over_and_the_next_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is left takes moments; whoever asks twice waits no longer."""
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    before = {number: signal.getsignal(number) for number in REASONS}
    with handlers_restored():
        hush()
        signal.raise_signal(signal.SIGTERM)
        assert codes == []
        signal.raise_signal(signal.SIGINT)
        assert codes == [130]
    assert {number: signal.getsignal(number) for number in REASONS} == before


def test_an_ignored_signal_stays_ignored() -> None:
    """What `nohup` ignores is not taken up for the end either."""
    with handlers_restored():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        hush()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
