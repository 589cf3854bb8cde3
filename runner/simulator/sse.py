"""Server-sent events: what goes over the wire, and when."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

# OpenAI pads its deltas so that their length does not betray the text.
_PADDING = "kQ8vZ2mXb7Lw4TnR"
_encode: Callable[[Any], bytes] = msgspec.json.encode

DONE = b"data: [DONE]\n\n"


class Piece(NamedTuple):
    """One write of a streamed answer."""

    data: bytes
    due: int | None = None
    """Place on the token schedule, from 0; None: at once after what went before."""
    delta: bool = False
    """Whether it carries a token."""


def plain_event(value: Any) -> bytes:
    """Write an event as Chat Completions does: data without a name."""
    return b"data: " + _encode(value) + b"\n\n"


def named_event(value: dict[str, Any]) -> bytes:
    """Write an event as Responses and Messages do: its `type` is its name, too."""
    return b"event: " + str(value["type"]).encode() + b"\ndata: " + _encode(value) + b"\n\n"


def padding(text: str) -> str:
    """Make the `obfuscation` of a delta."""
    return _PADDING[len(text) % len(_PADDING) :]
