"""Time as an argument, so that tests need not sleep."""

import time
from datetime import UTC, datetime
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


_WITHOUT_ZONE = len("2026-11-22T02:14:30.123")

loop_time = time.monotonic
"""The event loop's clock: what `anyio.current_time` gives after asking which library runs."""


def rfc3339(moment: datetime) -> str:
    """Format a UTC moment with milliseconds: `2026-11-22T02:14:30.123Z`."""
    return moment.isoformat(timespec="milliseconds")[:_WITHOUT_ZONE] + "Z"


def rfc3339_of(seconds: float) -> str:
    """Format a moment given in seconds since 1970."""
    return rfc3339(datetime.fromtimestamp(seconds, UTC))
