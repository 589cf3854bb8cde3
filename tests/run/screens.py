"""A terminal for commands that run in this process, and who sits before it."""

import os
import pty
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from unittest.mock import patch


@contextmanager
def terminal() -> Iterator[int]:
    """Let all three streams be a terminal; give the descriptor of whoever sits before it."""
    person, machine = pty.openpty()
    with (
        os.fdopen(os.dup(machine), "r", encoding="utf-8") as stdin,
        os.fdopen(os.dup(machine), "w", encoding="utf-8") as stdout,
        os.fdopen(machine, "w", encoding="utf-8") as stderr,
        standing_in(machine, for_=1),
        standing_in(machine, for_=2),
        patch.multiple(sys, stdin=stdin, stdout=stdout, stderr=stderr),
    ):
        yield person
    os.close(person)


@contextmanager
def standing_in(descriptor: int, *, for_: int) -> Iterator[None]:
    """Let a descriptor of this process be another for a while."""
    before = os.dup(for_)
    os.dup2(descriptor, for_)
    try:
        yield
    finally:
        os.dup2(before, for_)
        os.close(before)


def on_screen(person: int) -> str:
    """Read what the terminal was sent; the echo of what was typed stands first."""
    os.set_blocking(person, False)
    pieces = []
    with suppress(BlockingIOError):
        while piece := os.read(person, 65536):
            pieces.append(piece)
    return b"".join(pieces).decode().replace("\r\n", "\n")


@contextmanager
def person(descriptor: int, act: "Callable[[Person], None]") -> Iterator["Person"]:
    """Let somebody sit before the terminal, who acts in a thread of their own."""
    somebody = Person(descriptor)

    def live() -> None:
        try:
            act(somebody)
        except BaseException as error:  # noqa: BLE001 - raised below
            somebody.failure = error
            os.write(descriptor, b"\x15\x04")  # whatever stands on the line, leave

    thread = threading.Thread(target=live)
    thread.start()
    yield somebody
    thread.join()
    if somebody.failure is not None:
        raise somebody.failure


class Person:
    """Types, and waits for what the screen says."""

    def __init__(self, descriptor: int) -> None:
        self.failure: BaseException | None = None
        self._descriptor = descriptor
        self._seen = b""
        self._looked = 0

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._descriptor, text.encode())

    def wait_for(self, text: str) -> None:
        """Wait until a text stands there, after the one that was waited for before."""
        deadline = time.monotonic() + 20
        while (at := self.screen.find(text, self._looked)) < 0:
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} never came; there is {self.screen[self._looked :]!r}"
            if select.select([self._descriptor], [], [], left)[0]:
                self._seen += os.read(self._descriptor, 65536)
        self._looked = at + len(text)

    @property
    def screen(self) -> str:
        """All that was shown so far."""
        return self._seen.decode(errors="replace")
