"""What happened when: counts by time, coarser the longer it takes. Knows no plot.

Times are RFC 3339 in UTC, so that one cut short names the tenth of a second, the second, ten
seconds, the minute ... in which it lies: no time is computed while records are read.
"""

from collections.abc import Iterable, Sequence
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

    __slots__ = ("_level", "_slots", "_width")

    def __init__(self) -> None:
        self._level = 0
        self._width = _WIDTHS[0][0]
        self._slots: dict[str, list[int]] = {}

    @property
    def width_s(self) -> float:
        """Seconds of a slot."""
        return _WIDTHS[self._level][1]

    def extend(self, records: Iterable[Record]) -> None:
        """Count some records at their times; those that do not say when they ended are passed."""
        find = self._slots.get
        for record in records:
            ended = record.finished_at
            if ended is None:
                continue
            slot = find(ended[: self._width])
            if slot is None:
                slot = self._new(ended)
                find = self._slots.get
            usage = record.usage
            if usage is not None:
                slot[INPUT] += usage.input_tokens or 0
                slot[OUTPUT] += usage.output_tokens or 0
            if record.status == "succeeded":
                slot[ANSWERED] += 1
            else:
                slot[_OF_STATUS[record.status]] += 1
            began = record.started_at
            if len(record.attempts) != 1 or began is None:
                self._add_each(record.attempts, ended)
                find = self._slots.get
                continue
            slot[ENDED] += 1
            slot[REFUSED] += record.attempts[0].outcome == "rate_limit"
            slot = find(began[: self._width])
            if slot is None:
                slot = self._new(began)
                find = self._slots.get
            slot[BEGUN] += 1

    def _add_each(self, attempts: Sequence[AttemptFields], finished: str) -> None:
        """Count the requests of a job that are not just one."""
        for number, attempt in enumerate(attempts, 1):
            began, seconds = attempt.started_at, attempt.duration_s
            if began is None or seconds is None:
                continue
            if number == len(attempts):
                ended: str | None = finished
            else:
                # Most of these were refused at once, and time is dear to compute.
                ended = began if seconds < self.width_s else _later(began, seconds)
            if ended is not None:
                self._slot(began)[BEGUN] += 1
                slot = self._slot(ended)
                slot[ENDED] += 1
                slot[REFUSED] += attempt.outcome == "rate_limit"

    def _slot(self, time: str) -> list[int]:
        slot = self._slots.get(time[: self._width])
        return self._new(time) if slot is None else slot

    def _new(self, time: str) -> list[int]:
        while len(self._slots) >= _MOST_SLOTS:
            if self._level == len(_WIDTHS) - 1:
                # Thousands of days, or these are no times.
                return self._slots.setdefault("", [0] * FIELDS)
            self._coarsen()
        return self._slots.setdefault(time[: self._width], [0] * FIELDS)

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


def _later(began: str, seconds: float) -> str | None:
    """Say when a request ended; None where its start is no time."""
    try:
        return rfc3339(datetime.fromisoformat(began) + timedelta(seconds=seconds))
    except (ValueError, OverflowError):
        return None
