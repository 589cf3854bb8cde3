"""At which price answers came where flex was asked for. Knows no words."""

from dataclasses import dataclass

from runner.events import Event, JobFinished, RetryScheduled
from runner.models import Result


@dataclass(slots=True)
class FlexCounts:
    """Counts over the jobs of one run in the flex lane."""

    at_flex: int = 0
    """Answers at the flex tier, as their records say."""
    at_standard: int = 0
    """Answers at any other, whether we fell back or the server did."""
    fell_back: int = 0
    """Jobs that were asked at the standard price because flex had no room."""

    def emit(self, event: Event) -> None:
        """Count what an event tells."""
        match event:
            case RetryScheduled(falls_back=True):
                self.fell_back += 1
            case JobFinished(result):
                self._add(result, 1)
            case _:
                pass

    def take_back(self, result: Result) -> None:
        """Undo an answer that could not be written."""
        self._add(result, -1)

    def _add(self, result: Result, number: int) -> None:
        if result.status == "succeeded" and result.lane == "flex":
            self.at_flex += number
        elif result.status == "succeeded":
            self.at_standard += number
