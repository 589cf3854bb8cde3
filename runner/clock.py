"""Time as an argument, so that tests need not sleep."""

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """Wall time for records, monotonic time for durations."""

    def now(self) -> datetime:
        """The present moment, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


loop_time = time.monotonic
"""The event loop's clock: what `anyio.current_time` gives after asking which library runs."""


def rfc3339(moment: datetime) -> str:
    """Format a UTC moment with milliseconds: `2026-11-22T02:14:30.123Z`."""
    return f"{_second(moment.replace(microsecond=0))}.{moment.microsecond // 1000:03d}Z"


def rfc3339_of(seconds: float) -> str:
    """Format a moment given in seconds since 1970."""
    return rfc3339(datetime.fromtimestamp(seconds, UTC))


@lru_cache(maxsize=16)
def _second(moment: datetime) -> str:
    # Thousands of moments share a second, and strftime is slow.
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
