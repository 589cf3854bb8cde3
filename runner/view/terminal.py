"""Lines for people on stderr. Knows no run: it only writes, and dims where that is wanted."""

import os
import sys
from contextlib import suppress
from typing import TextIO


class Heedless:
    """A stream of which a write that fails is forgotten: its reader or its terminal has gone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.encoding = stream.encoding

    def write(self, text: str) -> int:
        """Write what can be written."""
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush what can be flushed."""
        with suppress(OSError, ValueError):
            self._stream.flush()

    def isatty(self) -> bool:
        """Whether a person may be looking."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The descriptor, where there is one."""
        return self._stream.fileno()


def say(text: str, *, dim: bool = False) -> None:
    """Write one or more lines to stderr; a stderr that is gone is no reason to fail."""
    if dim and sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
        text = f"\x1b[2m{text}\x1b[22m"
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
