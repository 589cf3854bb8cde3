"""Counts the jobs that fail in a run, and says when they are more than the user bears."""

from collections import Counter
from collections.abc import Callable

from anyio import Event

from runner.events import Event as RunEvent
from runner.events import JobFinished
from runner.settings import Allowance
from runner.words import count

ENOUGH = 20
"""Of a stream nobody knows the length: a share of fewer ended jobs than this says nothing."""


class FailureLimit:
    """A sink for `--max-failures`. Jobs that end without a whole answer have failed, too."""

    def __init__(self, most: Allowance, total: Callable[[], int | None]) -> None:
        """`total` gives the number of selected jobs, None while it is not known."""
        self.reached = Event()
        self._most = most
        self._total = total
        self._ended = 0
        self._kinds: Counter[str] = Counter()

    def emit(self, event: RunEvent) -> None:
        if not isinstance(event, JobFinished):
            return
        self._ended += 1
        result = event.result
        if result.status != "succeeded":
            self._kinds[result.error.kind if result.error else "interrupted"] += 1
            if self._too_many(self._kinds.total()):
                self.reached.set()

    @property
    def is_reached(self) -> bool:
        """Whether nothing new is to be sent."""
        return self.reached.is_set()

    @property
    def told(self) -> str:
        """What has been reached, for a person."""
        kinds = ", ".join(f"{count(number)} {kind}" for kind, number in self._kinds.most_common())
        return f"--max-failures {self._most} is reached ({kinds})"

    def _too_many(self, failed: int) -> bool:
        total = self._total()
        if total is None and self._most.percent is not None:
            return self._ended >= ENOUGH and failed >= self._most.of(self._ended)
        return failed >= self._most.of(total or 0)
