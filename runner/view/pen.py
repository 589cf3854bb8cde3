"""A thread that owns the writes to stderr, so that a stopped terminal never stops a run.

Knows lines and one bar below them; nothing of what they say.
"""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import NamedTuple

from runner.view.outlet import write_all
from runner.words import plural

MAX_LINES = 1000
"""Lines that may wait for a stopped reader; beyond that the oldest of the minor ones go."""
PATIENCE_S = 2.0
"""How long a flush waits while nothing moves: a terminal may be stopped for ever."""
_LINGER_S = 1.0
"""How long the thread waits for more before it ends."""


def left_out(number: int) -> str:
    """Say how many lines stand nowhere."""
    return f"({plural(number, 'line')} left out here: stderr took no more.)"


class _Line(NamedTuple):
    text: str
    minor: bool


class Pen:
    """Writes lines in order, and a bar that is always the last line and the newest of its kind.

    `line` and `draw` return at once. A write that fails is forgotten: the reader has gone.
    """

    def __init__(self, fd: int, encoding: str = "utf-8") -> None:
        self.fd = fd
        self.encoding = encoding
        self.left_out: Callable[[int], str] = left_out
        """How to say that lines were dropped, where others than people read them."""
        self._changed = threading.Condition()
        self._lines: deque[_Line] = deque()
        self._dropped = 0
        self._bar = ""
        self._bar_is_new = False
        self._drawn = 0
        """Columns of the bar that stands on the terminal."""
        self._running = self._writing = False
        self._gave_up = False
        self._writes = 0

    def line(self, text: str, *, minor: bool = False) -> None:
        """Queue one or more lines; `minor` ones may be dropped where nobody reads."""
        with self._changed:
            if len(self._lines) >= MAX_LINES:
                self._drop_one()
            self._lines.append(_Line(text, minor))
            self._wake()

    def draw(self, bar: str) -> None:
        """Show this bar instead of the last one; an empty one takes it away."""
        with self._changed:
            self._bar, self._bar_is_new = bar, True
            self._wake()

    def flush(self, patience_s: float = PATIENCE_S) -> bool:
        """Wait until all is written, and tell whether it is.

        Gives up when nothing was taken for `patience_s`; then at once, until something is again.
        """
        with self._changed:
            seen, until = self._writes, monotonic() + (0 if self._gave_up else patience_s)
            while self._pending():
                if self._writes != seen:
                    seen, until = self._writes, monotonic() + patience_s
                left = until - monotonic()
                if left <= 0:
                    self._gave_up = True
                    return False
                self._changed.wait(left)
            return True

    def _drop_one(self) -> None:
        oldest = next((at for at, line in enumerate(self._lines) if line.minor), 0)
        del self._lines[oldest]
        self._dropped += 1

    def _pending(self) -> bool:
        return bool(self._lines) or self._bar_is_new or self._writing

    def _wake(self) -> None:
        if self._running:
            self._changed.notify_all()
            return
        self._running = True
        # A daemon: stuck in a write it must not keep the process from ending.
        threading.Thread(target=self._run, name="pen", daemon=True).start()

    def _run(self) -> None:
        while (data := self._next()) is not None:
            with suppress(OSError):
                write_all(self.fd, data)
            with self._changed:
                self._writing = self._gave_up = False
                self._writes += 1
                self._changed.notify_all()

    def _next(self) -> bytes | None:
        """Take the next piece to write; None when there was nothing for a while."""
        with self._changed:
            if not self._pending() and not self._changed.wait_for(self._pending, _LINGER_S):
                self._running = False
                return None
            self._writing = True
            text = self._line_text() if self._lines else self._bar_text()
            return text.encode(self.encoding, "backslashreplace")

    def _line_text(self) -> str:
        before = ""
        if self._dropped:
            before = f"{self.left_out(self._dropped)}\n"
            self._dropped = 0
        text = f"{self._erased()}{before}{self._lines.popleft().text}\n"
        return text if self._lines else text + self._bar_text()

    def _bar_text(self) -> str:
        self._bar_is_new = False
        if not self._bar:
            return self._erased()
        padding = " " * (self._drawn - len(self._bar))
        self._drawn = len(self._bar)
        return f"\r{self._bar}{padding}"

    def _erased(self) -> str:
        drawn, self._drawn = self._drawn, 0
        return f"\r{' ' * drawn}\r" if drawn else ""
