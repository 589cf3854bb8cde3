"""A `Result` as one line of the results file, and back."""

from typing import Any

import msgspec
from msgspec import UNSET, Raw
from msgspec.structs import replace

from runner.models import Result

_DECIMALS = 6
"""Durations are kept to the microsecond."""
_ABSENT = Raw()

_encoder = msgspec.json.Encoder()


class _Stored(Result, frozen=True, kw_only=True):
    # msgspec takes a Raw out of a line only where the type says nothing but Raw.
    parsed: Raw = _ABSENT
    response: Raw = _ABSENT
    request: Raw = _ABSENT
    metadata: Raw = _ABSENT


_decoder = msgspec.json.Decoder(_Stored)


def encode(result: Result) -> bytes:
    """Give the record as one line of JSON with its newline."""
    rounded = _rounded(result)
    try:
        line = _encoder.encode(rounded)
    except UnicodeEncodeError:
        line = _encoder.encode(_without_lone_surrogates(rounded))
    if b"\n" in line or b"\r" in line:
        # Only a spliced body can bring one, and there it is white space between tokens.
        line = line.replace(b"\n", b" ").replace(b"\r", b" ")
    return line + b"\n"


def decode(line: bytes) -> Result:
    """Read one record back. Raises `msgspec.DecodeError` where the line is none."""
    stored = _decoder.decode(line)
    fields = {name: getattr(stored, name) for name in Result.__struct_fields__}
    fields["parsed"] = UNSET if stored.parsed is _ABSENT else _or_none(stored.parsed)
    response, request, metadata = stored.response, stored.request, stored.metadata
    fields["response"] = UNSET if response is _ABSENT else _or_none(response)
    fields["request"] = UNSET if request is _ABSENT else request.copy()
    fields["metadata"] = None if metadata is _ABSENT else _or_none(metadata)
    return Result(**fields)


def _or_none(raw: Raw) -> Raw | None:
    # A copy, because a Raw keeps the whole line alive.
    return None if bytes(raw) == b"null" else raw.copy()


def _rounded(result: Result) -> Result:
    return replace(
        result,
        duration_s=_round(result.duration_s),
        time_to_first_token_s=_round(result.time_to_first_token_s),
        attempts=[replace(one, duration_s=_round(one.duration_s)) for one in result.attempts],
    )


def _round(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, _DECIMALS)


def _without_lone_surrogates(value: Any) -> Any:
    # Halves that belong together become one character, a lone half U+FFFD.
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_without_lone_surrogates(item) for item in value]
    if isinstance(value, msgspec.Struct):
        fields = {
            name: _without_lone_surrogates(getattr(value, name)) for name in value.__struct_fields__
        }
        return type(value)(**fields)
    return value
