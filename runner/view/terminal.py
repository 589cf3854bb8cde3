"""Lines for people on stderr. Knows no run: it only writes, and dims where that is wanted."""

import os
import sys
from contextlib import suppress
from typing import TextIO

from runner.view.pen import PATIENCE_S, Pen


class _Pens:
    """The one pen of the process for each stream that is a file."""

    last: Pen | None = None


def pen_for(stream: TextIO) -> Pen | None:
    """Give the pen that owns the stream's descriptor; None where it has none (in memory)."""
    try:
        fd = stream.fileno()
    except (OSError, ValueError):
        return None
    if _Pens.last is None or _Pens.last.fd != fd:
        _Pens.last = Pen(fd, stream.encoding or "utf-8")
    return _Pens.last


def note(text: str, *, minor: bool = False, stream: TextIO | None = None) -> None:
    """Write one or more lines to stderr without waiting for it; `minor` ones may be dropped."""
    stream = sys.stderr if stream is None else stream
    pen = pen_for(stream)
    if pen is not None:
        pen.line(text, minor=minor)
        return
    with suppress(OSError, ValueError):
        stream.write(f"{text}\n")
        stream.flush()


def dims() -> bool:
    """Whether what goes to stderr can be dimmed, and may be."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")


def dimmed(text: str) -> str:
    """Dim a text."""
    return f"\x1b[2m{text}\x1b[22m"


def say(text: str, *, dim: bool = False) -> None:
    """Write one or more lines to stderr; one that is gone or stuck is no reason to fail or hang.

    Waits until they are written, for 2 s at most while nothing is taken.
    """
    note(dimmed(text) if dim and dims() else text)
    flush()


def flush(patience_s: float = PATIENCE_S) -> bool:
    """Wait until stderr has taken all that was said; tell whether it has."""
    pen = pen_for(sys.stderr)
    return pen is None or pen.flush(patience_s)
