"""Signals and streams before anything else. Imports next to nothing, so that it can come first."""

import os
import signal
import sys
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


def ignore_signals() -> None:
    """When all is done and told: the code stands, whatever comes while Python takes itself down.

    A handler would not do, for Python takes its handlers away before it has ended.
    """
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)


def fill_closed_streams() -> None:
    """Put something where stdin, stdout or stderr is closed (`2>&-`).

    The next file to be opened would take its number otherwise, and what is said to stderr would be
    written into the results. Stderr then says nothing; a read or write of the others fails.
    """
    for descriptor, mode in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_RDWR)):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number is taken, and those below this one are not free.
            os.set_inheritable(os.open(os.devnull, mode), True)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - stays open
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - the same


def _end(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)
