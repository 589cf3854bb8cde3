"""What happened when: counts by time, coarser the longer it takes. Knows no plot.

Times are RFC 3339 in UTC, so that one cut short names the tenth of a second, the second, ten
seconds, the minute ... in which it lies: no time is computed while records are read.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from runner.clock import rfc3339
from runner.reading.report.fields import AttemptFields, Record

_WIDTHS = ((21, 0.1), (19, 1.0), (18, 10.0), (16, 60.0), (15, 600.0), (13, 3600.0), (10, 86400.0))
"""Characters of a time that are kept, and the seconds in which it then lies."""
_MOST_SLOTS = 8_000
_EMPTY = "0000-01-01T00:00:00.000000"
FIELDS = 8
ANSWERED, FAILED, INTERRUPTED, REFUSED, INPUT, OUTPUT, BEGUN, ENDED = range(FIELDS)
"""What is counted in each slot: jobs by how they ended, requests refused for rate, tokens, requests
sent, and requests of which no more came."""
_OF_STATUS = {"succeeded": ANSWERED, "failed": FAILED, "interrupted": INTERRUPTED}


class Slot(NamedTuple):
    """A piece of time in which something happened."""

    at: datetime
    counts: list[int]
    """One for each of the constants above."""


class Timeline:
    """Counts by time, in at most some thousand slots."""

    __slots__ = ("_level", "_slots", "_width", "untimed")

    def __init__(self) -> None:
        self._level = 0
        self._width = _WIDTHS[0][0]
        self._slots: dict[str, list[int]] = {}
        self.untimed = 0
        """Records that do not say when they ended."""

    @property
    def width_s(self) -> float:
        """Seconds of a slot."""
        return _WIDTHS[self._level][1]

    def add(self, record: Record) -> None:
        """Count one record at its times."""
        ended = record.finished_at
        if ended is None:
            self.untimed += 1
        else:
            slot = self._slots.get(ended[: self._width]) or self._slot(ended)
            slot[_OF_STATUS[record.status]] += 1
            usage = record.usage
            if usage is not None:
                slot[INPUT] += usage.input_tokens or 0
                slot[OUTPUT] += usage.output_tokens or 0
        attempts = record.attempts
        if len(attempts) == 1 and ended is not None and record.started_at is not None:
            slot[ENDED] += 1
            slot[REFUSED] += attempts[0].outcome == "rate_limit"
            began = record.started_at
            (self._slots.get(began[: self._width]) or self._slot(began))[BEGUN] += 1
        elif attempts:
            self._add_each(attempts)

    def _add_each(self, attempts: Iterable[AttemptFields]) -> None:
        for attempt in attempts:
            began = attempt.started_at
            ended = None if began is None else _later(began, attempt.duration_s)
            if began is None or ended is None:
                continue
            self._slot(began)[BEGUN] += 1
            slot = self._slot(ended)
            slot[ENDED] += 1
            slot[REFUSED] += attempt.outcome == "rate_limit"

    def _slot(self, time: str) -> list[int]:
        slot = self._slots.get(time[: self._width])
        while slot is None:
            if len(self._slots) < _MOST_SLOTS:
                slot = self._slots.setdefault(time[: self._width], [0] * FIELDS)
            elif self._level < len(_WIDTHS) - 1:
                self._coarsen()
                slot = self._slots.get(time[: self._width])
            else:
                # Eight thousand days, or times that are none.
                slot = self._slots.setdefault("", [0] * FIELDS)
        return slot

    def _coarsen(self) -> None:
        self._level += 1
        self._width = _WIDTHS[self._level][0]
        finer, self._slots = self._slots, {}
        for time, counts in finer.items():
            slot = self._slots.setdefault(time[: self._width], [0] * FIELDS)
            for field, number in enumerate(counts):
                slot[field] += number

    def slots(self) -> list[Slot]:
        """Give the slots in which something happened, in order; those of no time are left out."""
        found = ((_moment(time), counts) for time, counts in self._slots.items())
        return sorted(Slot(at, counts) for at, counts in found if at is not None)


def _moment(time: str) -> datetime | None:
    # A time cut to ten minutes ends in the middle of a number: the rest is that of an empty one.
    try:
        whole = datetime.fromisoformat((time.rstrip("Z") + _EMPTY[len(time.rstrip("Z")) :])[:26])
    except ValueError:
        return None
    return whole.replace(tzinfo=UTC)


def _later(began: str, seconds: float | None) -> str | None:
    """Say when a request ended; None where nobody knows."""
    if seconds is None:
        return None
    try:
        return rfc3339(datetime.fromisoformat(began) + timedelta(seconds=seconds))
    except (ValueError, OverflowError):
        return None
