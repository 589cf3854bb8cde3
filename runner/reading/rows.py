"""A record as one flat row, for tables and for joins over several results files."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

_MAX_COLUMNS = 200
"""More different keys than this are no columns any more but one column of JSON."""

COLUMNS = (
    "status",
    "text",
    "finish_reason",
    "model",
    "input_tokens",
    "output_tokens",
    "error",
)
"""What each results file says of a job, beside `id` and the job's metadata."""


class _Usage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None


class _Trouble(Struct):
    message: str = ""
    kind: str = "interrupted"


class _Record(Struct):
    id: str
    status: str
    text: str | None = None
    finish_reason: str | None = None
    provider: str | None = None
    model: str | None = None
    usage: _Usage | None = None
    error: _Trouble | None = None
    interruption: _Trouble | None = None
    parsed: Raw = Raw(b"null")
    metadata: Raw = Raw(b"null")


class Row(Struct):
    """One job as one results file has it."""

    id: str
    values: tuple[Any, ...]
    """One for each of `COLUMNS`."""
    metadata: bytes
    """JSON as the job gave it; `null` where it gave none."""
    parsed: bytes = b"null"
    """The answer's JSON where it fits a schema; `null` where none was asked for, or it does not."""


_record = msgspec.json.Decoder(_Record)
_object = msgspec.json.Decoder(dict[str, Raw])


def row_of(line: bytes) -> Row:
    """Flatten one record line."""
    record = _record.decode(line)
    usage, trouble = record.usage or _Usage(), record.error or record.interruption
    model = record.model
    if model is not None and record.provider is not None:
        model = f"{record.provider}/{model}"
    values = (
        record.status,
        record.text,
        record.finish_reason,
        model,
        usage.input_tokens,
        usage.output_tokens,
        f"{trouble.kind}: {trouble.message}" if trouble else None,
    )
    return Row(record.id, values, bytes(record.metadata), bytes(record.parsed))


def _fields(value: bytes) -> dict[str, Any] | None:
    """Give an object's values, lists and objects as JSON; None where it is no object."""
    if not value.startswith(b"{"):
        return None
    return {key: _scalar(bytes(inner)) for key, inner in _object.decode(value).items()}


def _scalar(value: bytes) -> Any:
    return value.decode() if value[:1] in b"{[" else msgspec.json.decode(value)


class JsonColumns:
    """The keys under which a file's values become columns, in order of first appearance."""

    def __init__(self, name: str) -> None:
        """Name the columns after what the values are: `metadata` or `parsed`."""
        self._name = name
        self._keys: dict[str, None] = {}
        self._whole = False
        """Whether it is all one column, because not all of the values are small objects."""
        self._present = False

    def add(self, value: bytes) -> None:
        """Take one record's JSON into account."""
        if value == b"null":
            return
        self._present = True
        if self._whole:
            return
        if not value.startswith(b"{"):
            self._whole = True
            return
        self._keys.update(dict.fromkeys(_object.decode(value)))
        self._whole = len(self._keys) > _MAX_COLUMNS

    def names(self) -> list[str]:
        """The columns' names."""
        if not self._present:
            return []
        return [self._name] if self._whole else [f"{self._name}.{key}" for key in self._keys]

    def values(self, value: bytes) -> list[Any]:
        """One record's values under those names; None where it has no such key."""
        if not self._present:
            return []
        if self._whole:
            return [None if value == b"null" else value.decode()]
        fields = _fields(value) or {}
        return [fields.get(key) for key in self._keys]
