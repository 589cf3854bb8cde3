"""What a run cost, so far as it is known, and what counts against `--max-cost`. Knows no words."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec import UNSET

from runner.models import AttemptRecord
from runner.pricing.attempts import spent_on
from runner.pricing.rates import usd


@dataclass(slots=True)
class Spending:
    """Sums over the requests of one run, in picodollars."""

    run: str | None = None
    """Whose requests are counted; None counts those of earlier runs too."""
    also: set[str] = field(default_factory=set)
    """Runs whose batches this one collects: what these cost is told now."""
    known: int = 0
    unknown_jobs: int = 0
    """Jobs with a request that may have cost something unknown."""
    priced: bool = False
    """Whether the price of any answer was known."""
    limit: int | None = None
    """`--max-cost`; None where it was not given."""
    counted: int | None = None
    """What counts against it: all that the results file records, the unknown at its worst."""
    next_usd: float = 0.0
    """The most that the next job can cost, where the money left did not do."""

    def add(self, attempts: Iterable[AttemptRecord]) -> None:
        """Add the requests of one job, of which earlier runs may have sent some."""
        own = [one for one in attempts if self._is_ours(one)]
        spent = spent_on(own)
        self.known += spent.known
        self.unknown_jobs += bool(spent.unknown or spent.unbounded)
        self.priced |= any(one.usage is not None and one.cost_usd is not None for one in own)

    def _is_ours(self, attempt: AttemptRecord) -> bool:
        if self.run is None or attempt.run == self.run:
            return True
        return attempt.run in self.also and attempt.batch is not UNSET

    @property
    def known_usd(self) -> float | None:
        """What is known; None where no price is, and something may have cost something."""
        return usd(self.known) if self.priced or not self.unknown_jobs else None

    @property
    def limit_usd(self) -> float | None:
        """`--max-cost` as it was given."""
        return None if self.limit is None else usd(self.limit)

    @property
    def counted_usd(self) -> float | None:
        """What counts against it."""
        return None if self.counted is None else usd(self.counted)
