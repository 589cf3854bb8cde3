"""Run `runner` on a real pseudo-terminal: what a person types and what the terminal is sent."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.processes.forked import fork_on_terminal
from tests.processes.running import PATIENCE_S, command, environment

COLUMNS = 80
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b.")
"""Sequences that a terminal obeys."""


class Started(Protocol):
    """A process: a new one, or one that was forked."""

    def kill(self) -> None:
        """End it, if it has not ended."""

    def send_signal(self, number: int) -> None:
        """Send it a signal."""

    def poll(self) -> int | None:
        """Give the exit code, or None while it runs."""

    def wait(self, patience_s: float) -> int:
        """Give the exit code."""


@dataclass(slots=True)
class Terminal:
    """A process and the terminal it believes to stand before."""

    process: Started
    _person: int
    _seen: bytearray = field(default_factory=bytearray)

    def type(self, text: str) -> None:
        """Press keys; the character of code 3 is Ctrl-C."""
        os.write(self._person, text.encode())

    def hang_up(self) -> None:
        """Close the window."""
        if self._person >= 0:
            os.close(self._person)
        self._person = -1

    def wait_for(self, text: str) -> None:
        """Wait until a text was written."""
        self._read_until(lambda: text in self.raw, f"{text!r} never came")

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait until what was written so far makes something true."""
        self._read_until(holds, "it never came true")

    def read(self, patience_s: float) -> None:
        """Read what comes within so many seconds."""
        deadline = time.monotonic() + patience_s
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._person], [], [], left)[0] or not self._take():
                return

    def watch(self) -> Iterator[None]:
        """Read until the process ends, and stop at whatever was written."""
        while select.select([self._person], [], [], PATIENCE_S)[0] and self._take():
            yield

    def end(self) -> int:
        """Read to the end of the process and give its exit code."""
        self._read_until(lambda: False, "it never ended")
        return self.process.wait(PATIENCE_S)

    @property
    def echoes(self) -> bool:
        """Whether the terminal shows what is typed by itself, as it does for a shell."""
        return bool(termios.tcgetattr(self._person)[3] & termios.ECHO)

    @property
    def raw(self) -> str:
        """All that was sent to the terminal so far."""
        return self._seen.decode(errors="replace")

    @property
    def lines(self) -> list[str]:
        """The lines that stand on the screen in the end, without dimming."""
        return [_overwritten(line).rstrip() for line in self.raw.split("\r\n")]

    @property
    def widest(self) -> int:
        """Columns of the widest line that was ever drawn."""
        drawn = re.split(r"\r\n|\r|\n|\x1b\[A", self.raw)
        return max(len(CONTROL.sub("", line)) for line in drawn)

    def _read_until(self, holds: Callable[[], bool], complaint: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            left = deadline - time.monotonic()
            assert left > 0, f"{complaint}; there is {self.raw!r}"
            if not select.select([self._person], [], [], left)[0]:
                continue
            if not self._take():
                assert holds() or complaint == "it never ended", f"{complaint}: {self.raw!r}"
                return

    def _take(self) -> bool:
        """Read what is there; False where nothing more will come."""
        try:
            data = os.read(self._person, 65536)
        except OSError:  # Linux's word for: the last one on the terminal has gone
            data = b""
        self._seen += data
        return bool(data)


@contextmanager
def terminal(
    folder: Path,
    *arguments: str | Path,
    env: Mapping[str, str] | None = None,
    stdout: int | None = None,
) -> Iterator[Terminal]:
    """Start `runner` in `folder` on a terminal of 80 columns; `stdout` may go elsewhere."""
    person, machine = _pair()
    process = subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=_environment(folder, env),
        stdin=machine,
        stdout=machine if stdout is None else stdout,
        stderr=machine,
        start_new_session=True,
        preexec_fn=_take_the_terminal,  # noqa: PLW1509 - it takes no lock, and nothing else can
    )
    os.close(machine)
    with _closed(Terminal(process, person)) as shown:
        yield shown


@contextmanager
def forked_terminal(
    folder: Path, *arguments: str | Path, env: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """Do the same with a process that has imported everything."""
    person, machine = _pair()
    words = list(map(str, arguments))
    process = fork_on_terminal(folder, words, _environment(folder, env), machine)
    os.close(machine)
    with _closed(Terminal(process, person)) as shown:
        yield shown


def _pair() -> tuple[int, int]:
    person, machine = pty.openpty()
    fcntl.ioctl(machine, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    return person, machine


def _environment(folder: Path, env: Mapping[str, str] | None) -> dict[str, str]:
    return environment(folder, {"TERM": "xterm", "LANG": "C.UTF-8", **(env or {})})


@contextmanager
def _closed(shown: Terminal) -> Iterator[Terminal]:
    try:
        yield shown
    finally:
        shown.process.kill()
        shown.process.wait(PATIENCE_S)
        shown.hang_up()


def _take_the_terminal() -> None:
    """Make stdin the terminal whose Ctrl-C this session hears."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _overwritten(line: str) -> str:
    """Give what is left of a line on which a carriage return began anew, again and again."""
    left = ""
    for part in CONTROL.sub("", line).split("\r"):
        left = part + left[len(part) :]
    return left
