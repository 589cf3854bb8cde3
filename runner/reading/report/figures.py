"""The figures of a results file, added up record by record. Knows no file and no words."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from runner.reading.report.by_model import OTHERS, ModelFigures, ModelKey, cost_of
from runner.reading.report.causes import Causes
from runner.reading.report.fields import AttemptFields, Record
from runner.reading.report.picks import Picks
from runner.reading.report.timeline import Timeline

_MOST_MODELS = 200
_OTHERS = ModelKey(None, OTHERS, None)
_MOST_OUTCOMES = 100


@dataclass(slots=True)
class Figures:
    """Sums over records, in memory that does not grow with their number."""

    models: dict[ModelKey, ModelFigures] = field(default_factory=dict)
    causes: Causes = field(default_factory=Causes)
    timeline: Timeline = field(default_factory=Timeline)
    picks: Picks = field(default_factory=Picks)
    requests: int = 0
    retries: int = 0
    """Requests that failed and were followed by another; refusals for rate are apart."""
    refusals: int = 0
    """Requests refused for rate (429)."""
    retried_for: Counter[str] = field(default_factory=Counter)
    """Outcomes of requests that were followed by another."""
    first_at: str | None = None
    """When the first job was begun, RFC 3339."""
    last_at: str | None = None
    """When the last one ended."""

    def extend(self, records: Sequence[Record], rows: Sequence[int]) -> None:
        """Add records, and their numbers in the file.

        Some hundred at a time: most sums are made over lists, at a third of the time that a look at
        each record takes.
        """
        groups = defaultdict[tuple[str | None, ...], list[Record]](list)
        for record in records:
            groups[record.provider, record.model, record.lane].append(record)
        for some in groups.values():
            self._model(some[0]).extend(some)
        self.timeline.extend(records)
        began = [record.started_at for record in records if record.started_at]
        ended = [record.finished_at for record in records if record.finished_at]
        self.first_at = min([*began, *filter(None, [self.first_at])], default=None)
        self.last_at = max([*ended, *filter(None, [self.last_at])], default=None)
        self.picks.extend(records, rows)
        self.requests += sum([len(record.attempts) for record in records])
        for row, record in zip(rows, records, strict=True):
            # An answer at the first request has nothing more to tell.
            if record.status != "succeeded":
                self._add_failure(record, row)
            elif len(record.attempts) > 1:
                self._add_tries(record.attempts)

    def _add_failure(self, record: Record, row: int) -> None:
        known, unknown = cost_of(record)
        failures = self.causes.add(record, known, unknown=unknown)
        self.picks.failure(failures, row)
        self._add_tries(record.attempts)

    def _add_tries(self, attempts: Sequence[AttemptFields]) -> None:
        for attempt in attempts:
            self.refusals += attempt.outcome == "rate_limit"
        for attempt in attempts[:-1]:
            self.retries += attempt.outcome != "rate_limit"
            if len(self.retried_for) < _MOST_OUTCOMES or attempt.outcome in self.retried_for:
                self.retried_for[attempt.outcome] += 1

    def _model(self, record: Record) -> ModelFigures:
        key = ModelKey(record.provider, record.model, record.lane)
        if len(self.models) >= _MOST_MODELS and key not in self.models:
            key = _OTHERS
        return self.models.setdefault(key, ModelFigures())

    def total(self) -> ModelFigures:
        """Sum up all models."""
        total = ModelFigures()
        for model in self.models.values():
            total.merge(model)
        return total

    def by_model(self) -> list[tuple[ModelKey, ModelFigures]]:
        """Give the models, the most expensive first, then those of most jobs."""
        return sorted(
            self.models.items(),
            key=lambda item: (-item[1].known, -item[1].jobs, item[0].name, item[0].lane or ""),
        )
