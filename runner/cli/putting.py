"""What goes to stdout: unchanged in a pipe or file, without commands to a terminal."""

import sys

from runner.words import printable, printable_json


def put_text(data: bytes) -> None:
    """Write text; on a terminal what it would obey is shown as escapes."""
    if sys.stdout.isatty():
        data = printable(_decoded(data), keep="\n\t").encode()
    sys.stdout.buffer.write(data)


def put_json(data: bytes) -> None:
    """Write lines of JSON; on a terminal what it would obey stands as JSON's own escapes."""
    if sys.stdout.isatty():
        data = printable_json(_decoded(data)).encode()
    sys.stdout.buffer.write(data)


def _decoded(data: bytes) -> str:
    # A byte that is no UTF-8 becomes a lone surrogate, and that an escape.
    return data.decode(errors="surrogateescape")
