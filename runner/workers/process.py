"""The process of a worker: how it is made, and how it ended.

Made by hand: `multiprocessing` starts a process of its own beside each run, lets signals through
to the first worker that it makes, and shows a person the tracebacks of all.
"""

import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from runner.words import printable

_END_S = 2.0
"""How long a worker has to end by itself."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_START = (
    "import sys; sys.path[:] = sys.argv[3:];"
    " from runner.workers.worker import main; main(*map(int, sys.argv[1:3]))"
)
"""Modules are found where this process finds them, and not in the folder that it works in."""
_MOST_WORDS = 300


class WorkerProcess:
    """A process that works until its pipe ends, however this process ends.

    It hears no signal itself, and nothing secret is on its command line; its environment is that
    of this process.
    """

    def __init__(self, concurrency: int) -> None:
        """Start it. Raises OSError where the system makes no more processes or files."""
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `wait`
        self.pipe, there = socket.socketpair()
        with there:
            try:
                self._process = _start(there, concurrency, self._errors)
            except BaseException:
                self.pipe.close()
                self._errors.close()
                raise

    def kill(self) -> None:
        """End it by force, and return at once."""
        self._process.kill()

    def wait(self) -> str:
        """Wait for its end and say in one line how it was. Blocks for at most a few seconds.

        Its pipe must have ended; then it is ended by force if need be. To be called once.
        """
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with self._errors as errors:
            errors.seek(0)
            told = errors.read().decode("utf-8", "replace")
        code = self._process.returncode
        if code < 0:
            return f"it was ended by signal {-code}"
        last = next((line.strip() for line in reversed(told.splitlines()) if line.strip()), "")
        return printable(last)[:_MOST_WORDS] or f"it ended by itself, with code {code}"


def _start(there: socket.socket, concurrency: int, errors: IO[bytes]) -> "subprocess.Popen[bytes]":
    with _unheard():
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
            [sys.executable, "-P", "-c", _START, str(there.fileno()), str(concurrency), *sys.path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            pass_fds=(there.fileno(),),
            start_new_session=True,  # what stops or ends a terminal's group is for us alone
        )


@contextmanager
def _unheard() -> Iterator[None]:
    """Have a process made deaf to what a service manager sends to all processes of a service.

    A mask, unlike a handler, holds from its very first moment.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
