"""The figures of a results file, added up record by record. Knows no file and no words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from runner.reading.report.by_model import OTHERS, ModelFigures, ModelKey
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

    def add(self, records: Sequence[Record], row: int) -> None:
        """Add records that follow each other in the file, the first by its number."""
        add = self._add
        for number, record in enumerate(records, row):
            add(record, number)
        began = [record.started_at for record in records if record.started_at is not None]
        ended = [record.finished_at for record in records if record.finished_at is not None]
        self.first_at = min([*began, *filter(None, [self.first_at])], default=None)
        self.last_at = max([*ended, *filter(None, [self.last_at])], default=None)

    def _add(self, record: Record, row: int) -> None:
        model = self.models.get((record.provider, record.model, record.lane))  # type: ignore[call-overload] # a plain tuple is found as well, and sooner
        if model is None:
            model = self._new_model(record)
        known, unknown = model.add(record)
        self.timeline.add(record)
        attempts = record.attempts
        if len(attempts) == 1:
            self.requests += 1
            self.refusals += attempts[0].outcome == "rate_limit"
        elif attempts:
            self._add_requests(attempts)
        picks = self.picks
        if record.status == "succeeded":
            picks.answer(row)
        else:
            picks.failure(self.causes.add(record, known, unknown=unknown), row)
        if record.finish_reason == "length":
            picks.cut_off(row)
        if record.duration_s is not None and record.duration_s > picks.slow_from_s:
            picks.slow(record.duration_s, row)

    def _add_requests(self, attempts: Sequence[AttemptFields]) -> None:
        self.requests += len(attempts)
        for attempt in attempts:
            self.refusals += attempt.outcome == "rate_limit"
        for attempt in attempts[:-1]:
            self.retries += attempt.outcome != "rate_limit"
            if len(self.retried_for) < _MOST_OUTCOMES or attempt.outcome in self.retried_for:
                self.retried_for[attempt.outcome] += 1

    def _new_model(self, record: Record) -> ModelFigures:
        key = ModelKey(record.provider, record.model, record.lane)
        if len(self.models) >= _MOST_MODELS:
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
