"""What a report reads of a record: figures, and no text but an error's message."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from runner.results.heads import ErrorHead, RecordHead, decoded, heads_of

_Count = Annotated[int, msgspec.Meta(ge=0, le=10**15)]
_Amount = Annotated[float, msgspec.Meta(ge=0, le=1e15)]
"""No sum of such numbers can overflow."""


class ErrorFields(ErrorHead, gc=False):
    """What groups failures by their cause."""

    message: str = ""
    http_status: int | None = None
    code: str | None = None


class InterruptionFields(msgspec.Struct, gc=False):
    """Why an answer was cut."""

    reason: str = ""
    message: str = ""


class UsageFields(msgspec.Struct, gc=False):
    """Tokens of an answer."""

    input_tokens: _Count | None = None
    output_tokens: _Count | None = None
    cached_input_tokens: _Count | None = None
    complete: bool = True


class AttemptFields(msgspec.Struct, gc=False):
    """One request that was sent."""

    outcome: str = ""
    started_at: str | None = None
    duration_s: _Amount | None = None
    cost_usd: _Amount | None = None


class Record(RecordHead, gc=False):
    """A record without its texts; its head is what the scan reads."""

    error: ErrorFields | None = None
    interruption: InterruptionFields | None = None
    provider: str | None = None
    model: str | None = None
    lane: str | None = None
    usage: UsageFields | None = None
    cost_usd: _Amount | None = None
    attempts: list[AttemptFields] = []  # noqa: RUF012 - msgspec copies it
    started_at: str | None = None
    finished_at: str | None = None
    duration_s: _Amount | None = None
    time_to_first_token_s: _Amount | None = None


_decode = msgspec.json.Decoder(Record).decode


def fields_of(lines: Sequence[bytes], data: bytes) -> list[Record] | None:
    """Decode lines that stand in `data`; None if one of them is no record.

    Where a figure is none, the record counts all the same and its figures are unknown.
    """
    found = decoded(_decode, lines, data)
    if found is not None or len(lines) != 1:
        return found
    heads = heads_of(lines, data)
    return None if heads is None else [_bare(head) for head in heads]


def _bare(head: RecordHead) -> Record:
    error = None
    if head.error is not None:
        error = ErrorFields(kind=head.error.kind, retryable=head.error.retryable)
    return Record(
        v=head.v,
        id=head.id,
        digest=head.digest,
        status=head.status,
        line=head.line,
        finish_reason=head.finish_reason,
        error=error,
    )
