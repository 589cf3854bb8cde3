"""Lines for people on stderr. Knows no run: it only writes, and dims where that is wanted."""

import os
import sys
from contextlib import suppress


def say(text: str, *, dim: bool = False) -> None:
    """Write one or more lines to stderr; a stderr that is gone is no reason to fail."""
    if dim and sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
        text = f"\x1b[2m{text}\x1b[22m"
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
