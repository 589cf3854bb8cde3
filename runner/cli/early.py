"""Signals before a run takes them over. Imports next to nothing, so that it can come first."""

import os
import signal
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_on_signals() -> None:
    """Let SIGINT, SIGTERM and SIGHUP end the process at once and silently, as 130, 143 and 129.

    Nothing has been sent by then. A run installs handlers of its own over these. A signal that is
    ignored (`nohup`) stays ignored.
    """
    for number in _ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)
