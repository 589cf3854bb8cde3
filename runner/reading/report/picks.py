"""Which records are worth looking at one by one: the slowest, some failures, some answers."""

import heapq

from runner.reading.report.causes import Failures

MOST_SLOW = 10
MOST_FAILED = 150
_MOST_A_CAUSE = 30
_MOST_CUT = 20
_MOST_ANSWERS = 80


class Picks:
    """Numbers of records, in bounded memory."""

    def __init__(self) -> None:
        self._slow: list[tuple[float, int]] = []
        self.slow_from_s = -1.0
        """A job that took no longer is none of the slowest."""
        self.cut: list[int] = []
        """Answers that ended at their token limit."""
        self._answers: list[int] = []
        self._every, self._seen = 1, 0

    def slow(self, seconds: float, row: int) -> None:
        """Take a job that took longer than `slow_from_s`; of two alike the first stays."""
        heapq.heappush(self._slow, (seconds, -row))
        if len(self._slow) > MOST_SLOW:
            heapq.heappop(self._slow)
            self.slow_from_s = self._slow[0][0]

    def cut_off(self, row: int) -> None:
        """Take an answer that ended at its token limit."""
        if len(self.cut) < _MOST_CUT:
            self.cut.append(row)

    def answer(self, row: int) -> None:
        """Take every so manieth answer, so that they are spread evenly over the file."""
        self._seen += 1
        if self._seen % self._every:
            return
        self._answers.append(row)
        if len(self._answers) > 2 * _MOST_ANSWERS:
            self._answers = self._answers[1::2]
            self._every *= 2

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
