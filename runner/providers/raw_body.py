"""A provider's body as a value, and as the same JSON on one line that can be kept.

The original bytes are kept wherever they are valid, so that no number changes on the way.
"""

import json
import re
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Raw

# A string without its end is taken as well: looking for another one inside could take minutes.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|NaN|-?Infinity|[\r\n]+', re.DOTALL)
_CHARSET = re.compile(r"charset=\"?([\w.:-]+)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f]")
_ESCAPE = re.compile(
    r"\\(?:(?P<pair>u[dD][89abAB]..\\u[dD][c-fC-F]..)|(?P<half>u[dD][89a-fA-F]..)|.)", re.DOTALL
)
_MOST_INT_DIGITS = 4000
"""Python refuses to read integers of more than 4300 digits."""


def in_utf8(data: bytes, media_type: str) -> bytes:
    """Rewrite a body that says that it is written in another character set, and is."""
    charset = _CHARSET.search(media_type)
    if charset is None or charset[1].lower() in ("utf-8", "utf8"):
        return data
    try:
        data.decode()
    except UnicodeDecodeError:
        with suppress(LookupError, UnicodeError):  # unknown: read as any other bad UTF-8
            return data.decode(charset[1]).encode()
    return data


def read_json(data: bytes) -> tuple[Any, Raw]:
    """Decode a body and return it with the same JSON on one line.

    Bad UTF-8 becomes U+FFFD, NaN and Infinity become null, control characters in strings are
    escaped. Halves of surrogate pairs are in the value as they came, because the other half may
    come with the next event; in what is kept they are U+FFFD, because no strict reader could read
    the line with them. Raises ValueError for what is not JSON.
    """
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _mended(data)
    return value, Raw(_one_line(data))


def write_json(value: Any) -> Raw:
    """Encode a body that was put together here."""
    try:
        return Raw(msgspec.json.encode(value))
    except UnicodeEncodeError:
        return _mended(json.dumps(value).encode())[1]


def _one_line(data: bytes) -> bytes:
    if b"\n" in data or b"\r" in data:
        # Valid JSON has no raw line breaks inside strings, so all of them are layout.
        data = data.translate(None, b"\r\n")
    return data.strip()


def _mended(data: bytes) -> tuple[Any, Raw]:
    text = _TOKEN.sub(_mend, data.decode("utf-8-sig", "replace").strip())
    try:
        value = json.loads(text, parse_int=_integer)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return value, Raw(_ESCAPE.sub(_whole, text).encode())


def _mend(token: re.Match[str]) -> str:
    text = token[0]
    if text[0] == '"':
        return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return "" if text[0] in "\r\n" else "null"


def _whole(escape: re.Match[str]) -> str:
    return "\\ufffd" if escape["half"] else escape[0]


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_INT_DIGITS else float(digits)
