"""What the scan reads of a record: the few fields that decide what becomes of its job."""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

import msgspec

from runner.models import Status


class ErrorHead(msgspec.Struct, gc=False):
    """What a failure decides."""

    kind: str | None = None
    retryable: bool = False


class RecordHead(msgspec.Struct, gc=False):
    """The few fields that decide what becomes of a job; the rest of the line is skipped."""

    v: int
    id: str
    digest: str | None
    status: Status
    # The table counts lines from 1 in 32 bits.
    line: Annotated[int, msgspec.Meta(ge=1, lt=1 << 32)] | None = None
    finish_reason: str | None = None
    error: ErrorHead | None = None


_NO_RECORD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_decode = msgspec.json.Decoder(RecordHead).decode


def head_of(line: bytes) -> RecordHead | None:
    """Decode what decides; None if the line is no record of ours."""
    heads = heads_of([line], line)
    return heads[0] if heads else None


def heads_of(lines: Sequence[bytes], data: bytes) -> list[RecordHead] | None:
    """Decode what decides in lines that stand in `data`; None if one of them is no record."""
    return decoded(_decode, lines, data)


HeadsOf = Callable[[Sequence[bytes], bytes], Sequence[RecordHead] | None]
"""What reads the lines of a scan; `heads_of`, or one that reads more of each."""
_Head = TypeVar("_Head", bound=RecordHead)


def decoded(
    decode: Callable[[bytes], _Head], lines: Sequence[bytes], data: bytes
) -> list[_Head] | None:
    """Decode lines that stand in `data`; None if one of them is no record.

    msgspec goes through each to its end, so that what is passed over is JSON, too.
    """
    try:
        heads = list(map(decode, lines))
        # It must be text as well, or whoever reads the whole record fails.
        if not data.isascii():
            for line in lines:
                line.decode()
    except _NO_RECORD:
        return None
    return heads
