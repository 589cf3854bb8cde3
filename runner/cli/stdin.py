"""Standard input as part of a prompt: read whole, before anything is sent."""

import io
import os
import select
import sys
from collections.abc import Callable

from runner.errors import UsageError

SILENCE_S = 1.0
"""Seconds without input after which a person is told that it is awaited."""
_BLOCK = 65536


def piped_text(*, on_silence: Callable[[], None]) -> str | None:
    """Read standard input to its end; None where it is a terminal, closed or blank.

    `on_silence` is called once when nothing has come for a second. Raises UsageError where the
    input cannot be read or is not UTF-8.
    """
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        return None
    try:
        data = _all_bytes(on_silence)
    except OSError as error:
        raise UsageError(f"cannot read standard input: {error.strerror}.") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"standard input is not UTF-8 text (byte {error.start + 1}). --no-stdin ignores it."
        ) from error
    return text if text.strip() else None


def _all_bytes(on_silence: Callable[[], None]) -> bytes:
    try:
        descriptor = sys.stdin.fileno()
    except io.UnsupportedOperation:  # not a file at all: in memory
        return sys.stdin.buffer.read()
    blocks: list[bytes] = []
    told = False
    while True:
        if not told and not select.select([descriptor], [], [], SILENCE_S)[0]:
            told = True
            on_silence()
        block = os.read(descriptor, _BLOCK)
        if not block:
            return b"".join(blocks)
        blocks.append(block)
