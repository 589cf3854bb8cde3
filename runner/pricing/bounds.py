"""The most tokens that a request can take, before it is sent. Pure."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from runner.models import Request

HIDDEN_TOKENS = 200
"""A server's own words around a request: chat template, date, instructions. Tens are usual."""
HIDDEN_TOOL_TOKENS = 1_000
"""Instructions for the use of tools, and of schemas; Anthropic documents 313 to 804."""

_HEADING = 8
"""What stands between the name of a text file and its text, and what its part adds."""

_STATE = frozenset({"previous_response_id", "conversation"})
"""What lets the server add input of its own."""
_TEXT_TYPES = frozenset(
    {None, "message", "text", "input_text", "output_text", "refusal"}
    | {"function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output"}
    | {"tool_use", "tool_result"}
)
_NESTED = ("content", "output")
_INSTRUCTED = ("tools", "functions", "response_format", "text", "output_config")
_encode = msgspec.json.Encoder().encode


class InputBound(NamedTuple):
    """The most input tokens; None where only the model's own limit bounds them."""

    tokens: int | None
    writes_cache: bool


def input_bound(request: Request, *, caches_unasked: bool) -> InputBound:
    """Bound a request's input by its bytes: a token of text is never shorter than a byte.

    True for byte-level BPE (OpenAI, Llama, Qwen, Mistral's Tekken) and for SentencePiece with byte
    fallback. It holds for text alone: a picture, a file or an earlier response takes more tokens
    than its name has bytes. `caches_unasked`: whether this API writes its cache by itself.
    """
    params = request.params
    sent = [request.messages, request.system, params]
    if request.schema is not None:
        sent.append(request.schema.document)
    body = _bytes(sent)
    caches = caches_unasked or b'"cache_control"' in body
    spoken = (request.messages, request.system, params.get("input"), params.get("instructions"))
    if not _STATE.isdisjoint(params) or not all(map(_is_text, spoken)):
        return InputBound(None, caches)
    instructed = request.schema is not None or any(name in params for name in _INSTRUCTED)
    if any(file.kind != "text/plain" for file in request.files):
        return InputBound(None, caches)
    attached = sum(file.size + len(_bytes(file.title)) + _HEADING for file in request.files)
    hidden = attached + HIDDEN_TOKENS + (HIDDEN_TOOL_TOKENS if instructed else 0)
    return InputBound(len(body) + hidden, caches)


def output_bound(
    request: Request, names: Sequence[str], *, default: int | None, window: int | None
) -> int | None:
    """Bound what may be answered, reasoning included, over all choices; None where nothing does.

    `names`: what the API calls its cap. `default`: the cap that is sent where nobody chose one.
    `window`: the model's limit, which an answer cannot pass.
    """
    params = request.params
    own = [params[name] for name in dict.fromkeys(names) if name in params]
    caps = [cap for cap in own if cap is not None]
    if not own:
        unasked = default if request.max_tokens is None else request.max_tokens
        caps = [] if unasked is None else [unasked]
    if not all(_is_count(cap) for cap in caps):
        return None
    choices = params.get("n")
    if choices is None:
        choices = 1
    # Two names at once are refused by most servers; where not, either may be the one obeyed.
    most = max(caps, default=window)
    return most * max(choices, 1) if most is not None and _is_count(choices) else None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_text(value: object) -> bool:
    """Whether all of a prompt is written out in it."""
    if value is None or isinstance(value, str):
        return True
    return isinstance(value, list) and all(map(_is_text_part, value))


def _is_text_part(part: object) -> bool:
    if not isinstance(part, dict):
        return isinstance(part, str)
    return part.get("type") in _TEXT_TYPES and _all_text(
        part[name] for name in _NESTED if name in part
    )


def _all_text(values: Iterable[object]) -> bool:
    return all(map(_is_text, values))


def _bytes(value: Any) -> bytes:
    try:
        return _encode(value)
    except UnicodeEncodeError:  # lone surrogates
        return json.dumps(value).encode()
