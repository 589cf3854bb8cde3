"""How long a server asks us to wait: Retry-After and resets in every form, as seconds or nothing.

Pure. A huge value is returned as it is; the retry policy decides what is too long.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_LONGEST_SPAN = 64
_STEP = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ms|us|µs|ns|h|m|s)")


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read the wait in seconds from response headers whose names are in lower case.

    None where nothing was asked, where it makes no sense, and for a date that has passed.
    """
    milliseconds = _positive(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _positive(value)
    return seconds if seconds is not None or value is None else _until(value, now)


def reset_s(headers: Mapping[str, str], limits: Sequence[str]) -> float | None:
    """Read in how many seconds a limit that is used up is reset.

    `limits` are the names of the limit that refused, such as `tokens`; where none is among the
    headers, a limit of which nothing remains is taken. None where that says nothing either.
    """
    prefix = "x-ratelimit-reset-"
    waits = {
        name.removeprefix(prefix): seconds
        for name, value in headers.items()
        if name.startswith(prefix) and (seconds := _span(value)) is not None
    }
    named = [waits[limit] for limit in limits if limit in waits]
    empty = [
        waits[limit] for limit in waits if headers.get(f"x-ratelimit-remaining-{limit}") == "0"
    ]
    return max(named or empty, default=None)


def _span(text: str) -> float | None:
    """Read `6m0s`, `1h2m3.5s`, `12ms`, or bare seconds."""
    steps = _STEP.findall(text) if len(text) <= _LONGEST_SPAN else []
    if steps and "".join(number + unit for number, unit in steps) == text:
        return sum(float(number) * _UNITS_S[unit] for number, unit in steps) or None
    return _positive(text)


def _positive(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None


def _until(date: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - now).total_seconds()
    return seconds if seconds > 0 else None
