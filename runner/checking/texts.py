"""The texts of a request, and what of it is no text. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from runner.models import Request

_SPOKEN = ("input", "instructions")
"""Parameters that are prompts by another name (Responses)."""
_STATE = frozenset({"previous_response_id", "conversation"})
"""What lets the server add input of its own."""
_ASKED_FOR = ("tools", "functions", "response_format", "text", "output_config")
"""Parameters that the model is given to read."""
_TEXT_KEYS = ("text", "content", "output", "refusal", "name", "arguments", "input")
_OPAQUE = frozenset(
    {"image", "image_url", "input_image", "input_audio", "file", "input_file", "document"}
)
_encode = msgspec.json.Encoder().encode


class Spoken(NamedTuple):
    """What a request gives the model to read."""

    texts: list[str]
    messages: int
    opaque: bool
    """Something in it is no text, so that its tokens are not in its bytes."""


def spoken_in(request: Request) -> Spoken:
    """Take the texts out of a request, its parameters left aside but where they are prompts."""
    texts: list[str] = []
    params = request.params
    opaque = not _STATE.isdisjoint(params)
    messages = request.messages or []
    for message in messages:
        content = message.get("content")
        if type(content) is str:
            texts.append(content)
        else:
            opaque |= _collect(content, texts)
        if "tool_calls" in message:
            opaque |= _collect(message["tool_calls"], texts)
    number = len(messages)
    for piece in (request.system, *(params.get(name) for name in _SPOKEN)):
        if piece is not None:
            opaque |= _collect(piece, texts)
            number += len(piece) if isinstance(piece, list) else 1
    return Spoken(texts, max(1, number), opaque)


def given_to_read(request: Request) -> str:
    """Write what the model is given to read beside the prompt: tools, a schema; empty without."""
    params = request.params
    found = {name: params[name] for name in _ASKED_FOR if params.get(name)}
    if request.schema is not None:
        found["schema"] = request.schema.document
    return _encode(found).decode() if found else ""


def settings_of(params: Mapping[str, Any]) -> bytes:
    """Tell parameters apart that decide on price, cap and size, prompts left aside."""
    if not params:
        return b""
    return _encode({name: value for name, value in params.items() if name not in _SPOKEN})


def _collect(value: object, texts: list[str]) -> bool:
    """Gather the texts in a part of a prompt; True if something is no text."""
    if isinstance(value, str):
        texts.append(value)
        return False
    if isinstance(value, list):
        found = [_collect(part, texts) for part in value]
        return any(found)
    if not isinstance(value, dict):
        return False
    if value.get("type") in _OPAQUE:
        return True
    if "function" in value:
        return _collect(value["function"], texts)
    found = [_collect(value[key], texts) for key in _TEXT_KEYS if key in value]
    return any(found)
