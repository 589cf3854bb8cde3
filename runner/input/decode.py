"""One line of bytes to one JSON object: fast when it is one, with words when it is not."""

from collections.abc import Iterator
from typing import Any, cast

import jsonlines
import msgspec

from runner.input.diagnose import TOO_DEEP, diagnose
from runner.input.lines import Line, Unread
from runner.input.problems import BadLineError

MAX_DEPTH = 256
"""Far above any real request, and below the depth at which decoders of providers give up. What
Python itself can bear depends on who calls, so a line could pass one check and fail the next."""
SURELY_FLAT = 2 * MAX_DEPTH
"""So many bytes cannot nest any deeper."""


class _Slot:
    """An endless iterator over whatever line was put in last."""

    raw = b""

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return self.raw


class LineDecoder:
    """A `jsonlines.Reader` that is handed one line after the other. Not for several threads.

    The reader checks UTF-8 and the kind of value; `msgspec` refuses what `json` lets through: NaN,
    lone surrogates, numbers beyond a double.
    """

    def __init__(self) -> None:
        self._slot = _Slot()
        self._reader = jsonlines.Reader(self._slot, loads=msgspec.json.Decoder().decode)

    def decode(self, raw: bytes) -> dict[str, Any]:
        """Give the line's object. Raises BadLineError for anything else."""
        self._slot.raw = raw
        try:
            value = cast("dict[str, Any]", self._reader.read(type=dict))
        except (jsonlines.InvalidLineError, RecursionError):
            raise BadLineError(diagnose(raw)) from None
        if may_be_deep(raw) and _depth(value) > MAX_DEPTH:
            raise BadLineError(TOO_DEEP)
        return value


def may_be_deep(raw: Line) -> bool:
    """Whether a line has to be walked through to know its depth; only odd ones have."""
    if len(raw) <= SURELY_FLAT:
        return False
    return isinstance(raw, Unread) or raw.count(b"{") + raw.count(b"[") > MAX_DEPTH


def _depth(value: dict[str, Any]) -> int:
    depth = 0
    level: list[Any] = [value]
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return depth
