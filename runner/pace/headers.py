"""Rate limit headers of every vendor, read into one record. Pure; nothing in it raises.

What makes no sense is left out figure by figure: `-1`, an empty text, more left than the limit.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

from runner.quota import Gauge, Quota

_UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_STEP = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ms|us|µs|ns|h|m|s)")
_NUMBER = re.compile(r"\d{1,18}(\.\d{1,9})?", re.ASCII)
_MOST = 10**15
"""No account has a higher limit; who says so says nothing."""
_LONGEST_RESET_S = 366 * 86_400.0
_EPOCH_S = 10**9
"""Bare seconds above this are a moment, counted from 1970."""

_OPENAI = re.compile(
    r"x-ratelimit-(limit|remaining|reset)-(requests|tokens|input-tokens|output-tokens)(.*)"
)
_ANTHROPIC = re.compile(
    r"anthropic-ratelimit-(requests|tokens|input-tokens|output-tokens)-(limit|remaining|reset)"
)
_PLAIN = re.compile(r"(?:x-)?ratelimit-(limit|remaining|reset)")
"""Without a unit it counts requests; which window it means is said by nobody, so that only a
reset within a minute or so makes it one a minute."""
_SUFFIX = re.compile(r"[-_](?:usage[-_]based|per[-_]minute|minute)")
_PLAIN_WINDOW_S = 61.0


def read_quota(headers: Mapping[str, str], at: datetime) -> Quota | None:
    """Read what a response says of its account's limits; None where it says nothing.

    `at` is when the headers came, for resets that are given as a moment.
    """
    told = _told(tuple(headers))
    if not told:
        return None
    found: dict[str, _Figures] = {}
    for name, (unit, figure) in told:
        found.setdefault(unit, _Figures()).take(figure, headers[name], at)
    gauges = {unit: figures.gauge() for unit, figures in found.items() if unit}
    if "" in found and gauges.get("requests", _NOTHING) == _NOTHING:
        plain = found[""].gauge()
        if (plain.reset_s or math.inf) <= _PLAIN_WINDOW_S:
            gauges["requests"] = plain
    quota = Quota(**gauges)
    return quota if quota.told else None


@lru_cache(maxsize=64)
def _told(names: tuple[str, ...]) -> tuple[tuple[str, tuple[str, str]], ...]:
    """Find the headers that tell of limits; a server sends the same names again and again."""
    return tuple((name, key) for name in names if (key := _key(name)) is not None)


def _key(name: str) -> tuple[str, str] | None:
    """Tell which unit and figure a header is about."""
    name = name.lower()
    if "ratelimit" not in name:
        return None
    name = name.replace("tokens_usage", "tokens-usage")
    if found := _ANTHROPIC.fullmatch(name):
        return found[1].replace("-", "_"), found[2]
    if (found := _OPENAI.fullmatch(name)) and (not found[3] or _SUFFIX.fullmatch(found[3])):
        return found[2].replace("-", "_"), found[1]
    if found := _PLAIN.fullmatch(name):
        return "", found[1]
    return None


class _Figures:
    """What the headers about one unit say.

    A plain name and one with a suffix may come together: the lower figure binds.
    """

    __slots__ = ("limit", "remaining", "reset_s")

    def __init__(self) -> None:
        self.limit: int | None = None
        self.remaining: int | None = None
        self.reset_s: float | None = None

    def take(self, figure: str, text: str, at: datetime) -> None:
        if figure == "reset":
            wait = _span(text, at)
            if wait is not None and (self.reset_s is None or wait > self.reset_s):
                self.reset_s = wait
            return
        much = _count(text)
        if figure == "remaining":
            if much is not None and (self.remaining is None or much < self.remaining):
                self.remaining = much
        elif much and (self.limit is None or much < self.limit):
            self.limit = much

    def gauge(self) -> Gauge:
        left = self.remaining
        if left is not None and self.limit is not None and left > self.limit:
            left = None
        return Gauge(limit=self.limit, remaining=left, reset_s=self.reset_s)


_NOTHING = Gauge()


def _count(text: str) -> int | None:
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return None
    number = int(text.partition(".")[0])
    return number if number <= _MOST else None


def _span(text: str, at: datetime) -> float | None:
    """Read `6m0s`, `1h2m3.5s`, `12ms`, bare seconds, or a moment."""
    text = text.strip()
    seconds = _duration(text)
    if seconds is None:
        seconds = _until(text, at)
    elif seconds >= _EPOCH_S:
        seconds = max(0.0, seconds - at.timestamp())
    if seconds is None or not 0 <= seconds <= _LONGEST_RESET_S:
        return None
    return seconds


@lru_cache(maxsize=512)
def _duration(text: str) -> float | None:
    if _NUMBER.fullmatch(text):
        return float(text)
    steps = _STEP.findall(text) if len(text) <= 64 else []
    if not steps or "".join(number + unit for number, unit in steps) != text:
        return None
    return sum(float(number) * _UNITS_S[unit] for number, unit in steps)


def _until(text: str, at: datetime) -> float | None:
    if "T" not in text.upper():
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return max(0.0, (moment - at).total_seconds())
    except (OverflowError, TypeError):
        return None
