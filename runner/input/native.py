"""The native shape: `prompt` or `messages`, and what may stand beside them."""

from difflib import get_close_matches
from typing import Any

import msgspec
from msgspec import Raw

from runner.input.draft import (
    CAPS,
    Draft,
    check_messages,
    chosen_model,
    holds_system,
    optional_text,
    required_object,
    whole_number,
)
from runner.input.ids import id_text
from runner.input.problems import BadLineError
from runner.input.words import quoted

KEYS = (
    *("id", "prompt", "messages", "model", "system", "max_tokens", "params", "files", "metadata"),
)

_KNOWN = frozenset(KEYS)
_NOT_IN_PARAMS = ("model", "messages", "input")
_SYSTEMS = ("system", "instructions")
CHECKED_PARAMS = frozenset({*_NOT_IN_PARAMS, *CAPS, *_SYSTEMS})
"""Parameters without these are right in any job."""
_MEANT = {"custom_id": "id", "system_prompt": "system", "instructions": "system"}
_NEVER = frozenset({"base_url", "api_base", "api_key", "headers", "extra_headers"})


class _WithMetadata(msgspec.Struct):
    metadata: Raw


_metadata = msgspec.json.Decoder(_WithMetadata).decode


def read_native(line: dict[str, Any], raw: bytes) -> Draft:
    """Take a native job apart. Raises BadLineError."""
    if not line.keys() <= _KNOWN:
        raise BadLineError(_unknown(next(key for key in line if key not in _KNOWN)))
    draft = Draft(id=id_text(line["id"], "id") if "id" in line else None, messages=_messages(line))
    draft.brings_system = "messages" in line and holds_system(draft.messages)
    if len(line) > 1:
        _read_options(line, draft)
    if line.get("metadata") is not None:
        draft.metadata = metadata_of(raw)
    return draft


def metadata_of(raw: bytes) -> Raw:
    """Give what a line holds as metadata, as it stands there."""
    return one_line(_metadata(raw[raw.index(b"{") :]).metadata)


def one_line(value: Raw | bytes) -> Raw:
    """Keep JSON as it was written. A carriage return can only be white space between tokens."""
    return Raw(bytes(value).strip().replace(b"\r", b" "))


def meant(key: str) -> str | None:
    """The known key that a person most likely meant by this one."""
    known = _MEANT.get(key.lower())
    return known or next(iter(get_close_matches(key.lower(), KEYS, n=1, cutoff=0.7)), None)


def _messages(line: dict[str, Any]) -> list[dict[str, Any]]:
    if "messages" in line:
        if "prompt" in line:
            raise BadLineError('has both "prompt" and "messages"; a job has one of them')
        return check_messages(line["messages"])
    if "prompt" not in line:
        raise BadLineError('has neither "prompt" nor "messages"')
    prompt = line["prompt"]
    if not isinstance(prompt, str):
        raise BadLineError('"prompt" must be a string')
    return [{"role": "user", "content": prompt}]


def _read_options(line: dict[str, Any], draft: Draft) -> None:
    if "model" in line:
        draft.model = chosen_model(line)
    if "system" in line:
        draft.system = optional_text(line, "system")
        draft.brings_system = True
    if "max_tokens" in line:
        if not whole_number(line["max_tokens"]):
            raise BadLineError('"max_tokens" must be a whole number of at least 1')
        draft.max_tokens = line["max_tokens"]
    if "params" in line:
        draft.params = required_object(line, "params")
        check_params(
            draft.params, capped=draft.max_tokens is not None, system=draft.system is not None
        )
        draft.brings_system |= brings_system(draft.params)
    if "files" in line:
        draft.files = _files(line["files"], draft)


def _files(value: Any, draft: Draft) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise BadLineError('"files" must be a list of file names')
    last = [message for message in draft.messages or () if message.get("role") == "user"][-1:]
    if value and not last:
        raise BadLineError('has "files" and no message of the user to attach them to')
    if value and not isinstance(last[0].get("content"), str | list):
        raise BadLineError('"files" need a message of the user with a text or parts')
    return value


def check_params(params: dict[str, Any], *, capped: bool, system: bool) -> None:
    """Check that nothing stands in the wrong place, or twice. Raises BadLineError."""
    if CHECKED_PARAMS.isdisjoint(params):
        return
    for key in _NOT_IN_PARAMS:
        if key in params:
            raise BadLineError(f'"params" holds {quoted(key)}, which stands beside it in a job')
    if capped:
        for key in CAPS:
            if key in params:
                raise BadLineError(
                    f'the cap is set twice: "max_tokens" and {quoted(key)} in params'
                )
    if system:
        for key in _SYSTEMS:
            if key in params:
                raise BadLineError(
                    f'"system" is set twice: in the job and as {quoted(key)} in params'
                )


def brings_system(params: dict[str, Any]) -> bool:
    """Whether parameters hold instructions."""
    return any(key in params for key in _SYSTEMS)


def _unknown(key: str) -> str:
    if key in _NEVER:
        return (
            f"unknown key {quoted(key)}: a job cannot set an address, a header or a key; "
            "providers are set up in runner.toml"
        )
    known = meant(key)
    if known:
        return f"unknown key {quoted(key)}. Did you mean {quoted(known)}?"
    return (
        f"unknown key {quoted(key)}; known are {', '.join(KEYS)}. "
        'Request parameters such as temperature go into "params"'
    )
