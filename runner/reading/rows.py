"""A record as one flat row, for tables and for joins over several results files."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

_MAX_METADATA_COLUMNS = 200
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
    metadata: Raw = Raw(b"null")


class Row(Struct):
    """One job as one results file has it."""

    id: str
    values: tuple[Any, ...]
    """One for each of `COLUMNS`."""
    metadata: bytes
    """JSON as the job gave it; `null` where it gave none."""


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
    return Row(record.id, values, bytes(record.metadata))


def metadata_fields(metadata: bytes) -> dict[str, Any] | None:
    """Give a metadata object's values, lists and objects as JSON; None where it is no object."""
    if not metadata.startswith(b"{"):
        return None
    return {key: _scalar(bytes(value)) for key, value in _object.decode(metadata).items()}


def _scalar(value: bytes) -> Any:
    return value.decode() if value[:1] in b"{[" else msgspec.json.decode(value)


class MetadataColumns:
    """The keys under which a file's metadata becomes columns, in order of first appearance."""

    def __init__(self) -> None:
        self.keys: dict[str, None] = {}
        self.whole = False
        """Whether the metadata is one column, because not all of it are small objects."""
        self.present = False

    def add(self, metadata: bytes) -> None:
        """Take one record's metadata into account."""
        if metadata == b"null":
            return
        self.present = True
        if self.whole:
            return
        if not metadata.startswith(b"{"):
            self.whole = True
            return
        self.keys.update(dict.fromkeys(_object.decode(metadata)))
        self.whole = len(self.keys) > _MAX_METADATA_COLUMNS

    def names(self) -> list[str]:
        """The columns' names."""
        if not self.present:
            return []
        return ["metadata"] if self.whole else [f"metadata.{key}" for key in self.keys]

    def values(self, metadata: bytes) -> list[Any]:
        """One record's values under those names; None where it has no such key."""
        if not self.present:
            return []
        if self.whole:
            return [None if metadata == b"null" else metadata.decode()]
        fields = metadata_fields(metadata) or {}
        return [fields.get(key) for key in self.keys]
