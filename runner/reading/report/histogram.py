"""Times in steps of one per cent, so that percentiles need no memory a record."""

from collections import Counter
from collections.abc import Sequence
from math import ceil, exp, log

_STEP = log(1.01)
_PER_STEP = 1 / _STEP
_LOWEST_S = 1e-6
"""What is shorter counts as so long: nobody measures it."""
_OFFSET = -log(_LOWEST_S) * _PER_STEP
ERROR = 0.005
"""A percentile is at most so much off, as a share of itself; the least and the most are exact."""


class Histogram:
    """Counts of times in seconds, at most some thousand of them whatever is added."""

    __slots__ = ("count", "least", "most", "steps", "total")

    def __init__(self) -> None:
        self.steps: Counter[int] = Counter()
        self.count = 0
        self.total = 0.0
        self.least = float("inf")
        self.most = 0.0

    def extend(self, times: Sequence[float]) -> None:
        """Count some times."""
        if not times:
            return
        self.steps.update(
            [int(log(time) * _PER_STEP + _OFFSET) if time > _LOWEST_S else 0 for time in times]
        )
        self.count += len(times)
        self.total += sum(times)
        self.least = min(self.least, *times)
        self.most = max(self.most, *times)

    def merge(self, other: "Histogram") -> None:
        """Add all that another has counted."""
        self.steps.update(other.steps)
        self.count += other.count
        self.total += other.total
        self.least = min(self.least, other.least)
        self.most = max(self.most, other.most)

    @property
    def mean(self) -> float | None:
        """The mean; None where nothing was counted."""
        return self.total / self.count if self.count else None

    def percentile(self, share: float) -> float | None:
        """Give the least time that so large a share does not pass; None where there is none."""
        if not self.count:
            return None
        rank = max(1, ceil(share * self.count))
        if rank == self.count:
            return self.most
        seen = 0
        for step in sorted(self.steps):
            seen += self.steps[step]
            if seen >= rank:
                break
        return min(self.most, max(self.least, _middle(step)))

    def between(self, edges: Sequence[float]) -> list[int]:
        """Count the times between each two edges, each step whole where its middle is."""
        found = [0] * (len(edges) - 1)
        at = 0
        for step in sorted(self.steps):
            middle = min(self.most, max(self.least, _middle(step)))
            while at < len(found) - 1 and middle >= edges[at + 1]:
                at += 1
            found[at] += self.steps[step]
        return found


def _middle(step: int) -> float:
    return exp((step + 0.5) * _STEP) * _LOWEST_S
