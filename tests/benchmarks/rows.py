"""What a row of the table is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.measure import Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a comparison gave."""

    ratio: Spread | None
    """None where nothing could be measured; `said` tells why."""
    said: tuple[str, ...] = ()
    """The figures behind it, a line each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much a row is to do."""

    rounds: int
    share: float
    """Of the jobs of the real row: 1, or less to see that the row works."""

    def jobs(self, count: int) -> int:
        """Scale a number of jobs."""
        return max(20, int(count * self.share))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison."""

    name: str
    about: str
    bound: float | None
    """What the ratio is to meet; None where it is only told."""
    measure: Callable[[Path, Size], Outcome]
    at_least: bool = False
    """Whether more is better."""

    def held(self, outcome: Outcome) -> bool:
        """Tell whether the median meets the bound."""
        if self.bound is None or outcome.ratio is None:
            return self.bound is None
        ratio = outcome.ratio.median
        return ratio >= self.bound if self.at_least else ratio <= self.bound
