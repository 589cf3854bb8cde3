"""Figures, durations and foreign text as a person reads them. Knows nothing of what they mean."""

import os
import re
import shlex
from collections.abc import Iterable, Sequence

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
"""What a terminal obeys or hides: control characters, line and direction marks, lone surrogates."""

_SHORTEST_KEY = 8
"""Characters; a shorter value stands in too many words by chance."""
_KEY_ENDINGS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "CREDENTIALS")
_HEADER_ENDING = "_HEADERS"
_named: set[str] = set()
"""Variables that hold keys though their names do not say so."""

_NUMBER = r"\d{1,12}(?:\.\d{1,6})?"
_PLAIN = re.compile(_NUMBER, re.ASCII)
_TIME = re.compile("".join(rf"(?:({_NUMBER}){unit})?" for unit in "dhms"), re.ASCII)
_UNITS_S = (86400.0, 3600.0, 60.0, 1.0)

_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str, *, keep: str = "") -> str:
    """Show what a terminal would obey as escapes; characters in `keep` stay as they are."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(lambda match: _escape(match[0], keep), text)


def printable_json(text: str) -> str:
    """Do the same to lines of JSON, with JSON's own escapes: it stays the same JSON."""
    return _UNSAFE.sub(lambda match: "\n" if match[0] == "\n" else f"\\u{ord(match[0]):04x}", text)


def _escape(character: str, keep: str) -> str:
    if character in keep:
        return character
    code = ord(character)
    return _SHORT_ESCAPES.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def hold_back(names: Iterable[str]) -> None:
    """Let `scrubbed` hide the values of these variables from now on, whatever their names say."""
    _named.update(names)


def scrubbed(text: str) -> str:
    """Put `***` where the value of a variable stands that holds a key.

    Those whose names say so, and those named to `hold_back`; also as Python and JSON quote them.
    """
    for name, value in os.environ.items():
        for secret in _secrets(name, value):
            if len(secret) >= _SHORTEST_KEY:
                for spelled in (secret, repr(secret)[1:-1], secret.replace("\\", "\\\\")):
                    text = text.replace(spelled, "***")
    return text


def _secrets(name: str, value: str) -> list[str]:
    if name.upper().endswith(_HEADER_ENDING):
        return [line.partition(":")[2].strip() for line in value.split("\n")]
    return [value.strip()] if name in _named or name.upper().endswith(_KEY_ENDINGS) else []


def count(number: int) -> str:
    """Write a number with thousands apart: `5,000`."""
    return f"{number:,}"


def plural(number: int, noun: str, nouns: str | None = None) -> str:
    """Write a number of things: `1 job`, `5,000 jobs`, `2 retries`."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def duration(seconds: float) -> str:
    """Write a time as coarsely as one would say it: `0.4s`, `46s`, `2m 03s`, `1h 05m`, `2d 03h`."""
    if seconds < 9.95 and seconds != int(seconds):
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d {whole % 86400 // 3600:02d}h"


def short_time(seconds: float | None) -> str:
    """Write a time that may be well below a second: `119ms`, `1.2s`; `unknown` for None."""
    if seconds is None:
        return "unknown"
    if seconds < 0.9995:
        return f"{seconds * 1000:.3g}ms"
    return f"{seconds:.1f}s" if seconds < 9.95 else duration(seconds)


def seconds(text: str) -> float | None:
    """Read a time such as `90s`, `20m`, `6h`, `1h30m` or `90`; None for anything else."""
    if _PLAIN.fullmatch(text):
        return float(text)
    match = _TIME.fullmatch(text)
    if not text or match is None:
        return None
    return sum(float(part) * unit for part, unit in zip(match.groups("0"), _UNITS_S, strict=True))


def time_option(time_s: float) -> str:
    """Write a time as an option takes it: `90s`, `2h`, `1h30m`."""
    whole = int(time_s)
    if whole != time_s or whole < 60:
        return f"{time_s:g}s"
    parts = ((whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "m"))
    return "".join(f"{number}{unit}" for number, unit in (*parts, (whole % 60, "s")) if number)


def money(usd: float | None) -> str:
    """Write an amount: two decimals from 0.10 USD on, else four; `unknown` for None."""
    if usd is None:
        return "unknown"
    if 0 < usd < 0.0001:
        return "<$0.0001"
    return f"${usd:,.2f}" if usd >= 0.1 else f"${usd:,.4f}"


def shell_quote(argument: str) -> str:
    """Quote one argument so that it can be pasted, without raw control characters."""
    if not _UNSAFE.search(argument):
        return shlex.quote(argument)
    escaped = "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b"'\\" else f"\\x{byte:02x}"
        for byte in os.fsencode(argument)
    )
    return f"$'{escaped}'"


def command_line(arguments: Sequence[str]) -> str:
    """Write a call of runner, ready to be pasted: `runner batch 'my jobs.jsonl'`."""
    return " ".join(["runner", *map(shell_quote, arguments)])
