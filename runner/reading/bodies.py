"""Which API an answer came from, told by the shape of its body."""

from collections import Counter
from pathlib import Path

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from runner.errors import UsageError
from runner.models import Api, Status
from runner.reading.damage import Damage
from runner.reading.records import records
from runner.words import command_line, plural, printable

_BY_NAME: dict[str, Api] = {
    "chat.completion": "openai",
    "response": "openai-responses",
    "message": "anthropic",
}
EXPORTS: dict[Api, str] = {
    "openai": "openai-batch",
    "openai-responses": "openai-batch",
    "anthropic": "anthropic-batch",
}
"""The form into which the answers of each API fit."""
_REASONS = {
    "openai-batch": "{} of OpenAI's APIs",
    "anthropic-batch": "{} of Anthropic's API",
    "csv": "{} without the provider's body (recorded with --no-response)",
    "jsonl": "{} whose body is of no known API",
}


class _Body(Struct):
    object: str | None = None
    type: str | None = None
    choices: Raw | UnsetType = UNSET
    output: Raw | UnsetType = UNSET
    content: Raw | UnsetType = UNSET


class _Answered(Struct):
    status: Status
    response: Raw | UnsetType = UNSET


_body = msgspec.json.Decoder(_Body)
_answered = msgspec.json.Decoder(_Answered)


def api_of(body: bytes) -> Api | None:
    """Tell the API of a body; servers that leave out its name are known by their keys."""
    try:
        found = _body.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    named = _BY_NAME.get(found.object or found.type or "")
    if named is not None:
        return named
    if found.choices is not UNSET:
        return "openai"
    if found.output is not UNSET:
        return "openai-responses"
    return "anthropic" if found.content is not UNSET else None


def check_bodies(path: Path, shape: str, damage: Damage | None = None) -> None:
    """Make sure that every answer in a results file fits a provider's shape.

    Raises UsageError, naming how many do not and which export is theirs.
    """
    homes = (_belongs(line) for line in records(path, damage))
    others = Counter(home for home in homes if home is not None and home != shape)
    if not others:
        return
    reasons = [_REASONS[where].format(plural(n, "answer")) for where, n in others.most_common()]
    export = command_line(["export", str(path), "--as", others.most_common(1)[0][0]])
    raise UsageError(
        f"{printable(str(path))} cannot be written as {shape}:\n"
        + "\n".join(f"  {reason}" for reason in reasons)
        + f"\nNothing was written. Instead:  {export}"
    )


def _belongs(line: bytes) -> str | None:
    """Name the export into which a record's body fits; None where no body is needed."""
    record = _answered.decode(line)
    if record.status != "succeeded":
        return None
    if record.response is UNSET or bytes(record.response) == b"null":
        return "csv"
    api = api_of(bytes(record.response))
    return "jsonl" if api is None else EXPORTS[api]
