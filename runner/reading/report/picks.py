"""Which records are worth looking at one by one: the slowest, some failures, some answers."""

import heapq
from collections.abc import Sequence

from runner.reading.report.causes import Failures
from runner.reading.report.fields import Record

MOST_SLOW = 10
MOST_FAILED = 150
_MOST_A_CAUSE = 30
_MOST_CUT = 20
_MOST_ANSWERS = 80


class Picks:
    """Numbers of records, in bounded memory."""

    def __init__(self) -> None:
        self._slow: list[tuple[float, int]] = []
        self._slow_from_s = -1.0
        """A job that took no longer is none of the slowest."""
        self.cut: list[int] = []
        """Answers that ended at their token limit."""
        self._answers: list[int] = []
        self._every, self._seen = 1, 0

    def extend(self, records: Sequence[Record], rows: Sequence[int]) -> None:
        """Take what is worth it of some records, whose numbers are `rows`."""
        both = list(zip(records, rows, strict=True))
        floor_s = self._slow_from_s
        for record, row in both:
            if record.duration_s is not None and record.duration_s > floor_s:
                self._take_slow(record.duration_s, row)
        if len(self.cut) < _MOST_CUT:
            self.cut += [row for record, row in both if record.finish_reason == "length"]
            del self.cut[_MOST_CUT:]
        answered = [row for record, row in both if record.status == "succeeded"]
        self._answers += answered[-self._seen % self._every :: self._every]
        self._seen += len(answered)
        while len(self._answers) > 2 * _MOST_ANSWERS:
            self._answers = self._answers[::2]
            self._every *= 2

    def _take_slow(self, seconds: float, row: int) -> None:
        """Take a job that may be one of the slowest; of two alike the first stays."""
        heapq.heappush(self._slow, (seconds, -row))
        if len(self._slow) > MOST_SLOW:
            heapq.heappop(self._slow)
            self._slow_from_s = self._slow[0][0]

    def failure(self, failures: Failures, row: int) -> None:
        """Take a job that failed, if few of the same cause were taken."""
        if len(failures.rows) < _MOST_A_CAUSE:
            failures.rows.append(row)

    @property
    def slowest(self) -> list[int]:
        """The slowest jobs, the slowest first."""
        return [-row for _, row in sorted(self._slow, key=lambda item: (-item[0], -item[1]))]

    @property
    def answers(self) -> list[int]:
        """Some answers, spread over the file."""
        spread = self._answers
        step = max(1, -(-len(spread) // _MOST_ANSWERS))
        return spread[::step]
