"""What counts against `--max-cost` before a run starts, and why it may not start at all."""

from dataclasses import dataclass, field

from runner.errors import UsageError
from runner.models import Job
from runner.pace.budget import Budget
from runner.pricing.attempts import Spent
from runner.pricing.book import Lacking, PriceBook
from runner.results.paths import ResultPaths
from runner.results.spent import Ledger, Open, ledger_of
from runner.results.table import digest_number
from runner.run.flex import bound_lane
from runner.run.plan import Plan
from runner.settings import BatchSettings
from runner.view.texts_batches import unbounded_out_text
from runner.view.texts_money import Unpriced, lacking_text, unbounded_text


@dataclass(kw_only=True)
class Money:
    """Gathers what was spent and whether all that is to be asked has a bound."""

    limit: int
    """Picodollars."""
    book: PriceBook
    ledger: Ledger
    unknown: set[str]
    """Jobs that a killed run had sent."""
    shown: str | None
    """The results file, where there is one."""
    lane: str = "live"
    """At whose price the worst case is counted."""
    _spent: Spent = field(init=False)
    _lacking: dict[tuple[Lacking, str, str], Unpriced] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with what the file alone can tell."""
        self._spent = self.ledger.spent

    def take(self, job: Job, *, asked: bool) -> None:
        """Take in a job of the input: it may bound what its record leaves open."""
        if job.id in self.unknown:
            self.unknown.discard(job.id)
            self._take_open(job, None)
        for one in self.ledger.open.pop(job.id, ()):
            self._take_open(job, one)
        if asked:
            self._need(job)

    def worst_case(self, job: Job) -> int:
        """Give the most that one request for a job can cost. Raises UsageError."""
        worst = self.book.worst_case(job, self.lane)
        if isinstance(worst, Lacking):
            # Only a stream still holds such a job: a file was checked.
            self._need(job)
            raise UsageError(lacking_text(list(self._lacking.values())))
        return worst

    def budget(self) -> Budget:
        """Give what may still be spent. Raises UsageError where nobody can say what that is."""
        if self._lacking:
            raise UsageError(lacking_text(list(self._lacking.values())))
        left_open = self._spent.unbounded + len(self.unknown)
        left_open += sum(len(found) for found in self.ledger.open.values())
        if left_open:
            raise UsageError(unbounded_text(left_open, self.shown or "stdout"))
        return Budget(self.limit, self._spent.counted, self._spent.unknown)

    def _take_open(self, job: Job, one: Open | None) -> None:
        same = one is None or one.question == digest_number(job.digest)
        cost = None
        if same and one is not None and one.usage is not None:
            cost = self.book.cost(job, one.usage)
        worst = self.book.worst_case(job) if same else None
        if cost is not None:
            self._spent += Spent(known=cost)
        elif isinstance(worst, int):
            self._spent += Spent(unknown=worst)
        else:
            self._spent += Spent(unbounded=1)

    def _need(self, job: Job) -> None:
        worst = self.book.worst_case(job, self.lane)
        if isinstance(worst, Lacking):
            key = (worst, job.provider, job.model)
            found = self._lacking.setdefault(
                key, Unpriced(worst, job.provider, job.model, job.line)
            )
            found.jobs += 1


def money_of(
    settings: BatchSettings, book: PriceBook, paths: ResultPaths | None, plan: Plan
) -> Money | None:
    """Read what was spent on a results file; None without `--max-cost`."""
    if settings.max_cost is None:
        return None
    kept = None if paths is None or settings.fresh else paths
    return Money(
        limit=settings.max_cost,
        book=book,
        ledger=ledger_of(kept.results, plan.table) if kept is not None else Ledger(Spent(), {}),
        unknown=set(plan.unknown),
        shown=None if kept is None else kept.shown,
        lane=bound_lane(settings),
    )


def budget_of(money: Money | None, plan: Plan, *, streamed: bool) -> Budget | None:
    """Give what may be spent, with what is out in batches held back; None without a limit.

    Raises UsageError where nobody can say what it is.
    """
    # Who has nothing to send spends nothing.
    if money is None or not (plan.to_do or plan.out.chunks or streamed):
        return None
    budget = money.budget()
    for chunk in plan.out.chunks:
        if chunk.worst is None:
            raise UsageError(unbounded_out_text(chunk.batch or chunk.nonce))
        budget.hold(chunk.worst)
    return budget
