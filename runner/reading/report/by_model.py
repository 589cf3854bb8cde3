"""What the jobs of one model in one lane came to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from runner.pricing.rates import picodollars, usd
from runner.reading.report.fields import Record
from runner.reading.report.histogram import Histogram

OTHERS = "other models"


class ModelKey(NamedTuple):
    """Who was asked for what, and how the job got there."""

    provider: str | None
    model: str | None
    lane: str | None

    @property
    def name(self) -> str:
        """The model as it is chosen: `openai/gpt-5-mini`."""
        if self.model is None:
            return "no model"
        return self.model if self.provider is None else f"{self.provider}/{self.model}"


@dataclass(slots=True)
class Tokens:
    """Sums over records, so far as they say what they used."""

    input: int = 0
    output: int = 0
    cached: int = 0
    cached_of: int = 0
    """Input tokens of the records that say how many of theirs were cached."""
    known: int = 0
    """Records that say some usage."""
    told: int = 0
    """Records that say how many of their input tokens were cached."""
    unknown: int = 0
    """Answers, whole or partial, that do not say or not fully say what they used."""

    def extend(self, records: Sequence[Record]) -> None:
        """Add some records; a failure without usage is no unknown answer."""
        usages = [record.usage for record in records if record.usage is not None]
        given = [usage.input_tokens for usage in usages if usage.input_tokens is not None]
        made = [usage.output_tokens for usage in usages if usage.output_tokens is not None]
        self.known += len(usages)
        self.input += sum(given)
        self.output += sum(made)
        told = [usage for usage in usages if usage.cached_input_tokens is not None]
        told = [usage for usage in told if usage.input_tokens is not None]
        self.cached += sum([usage.cached_input_tokens or 0 for usage in told])
        self.cached_of += sum([usage.input_tokens or 0 for usage in told])
        self.told += len(told)
        if not (len(records) == len(given) == len(made) and all(one.complete for one in usages)):
            self.unknown += sum(not _is_full(one) for one in records if one.status != "failed")

    def merge(self, other: "Tokens") -> None:
        """Add the sums of other records."""
        self.input += other.input
        self.output += other.output
        self.cached += other.cached
        self.cached_of += other.cached_of
        self.known += other.known
        self.told += other.told
        self.unknown += other.unknown

    @property
    def cached_share(self) -> float | None:
        """The share of input tokens that were cached; None where no record says."""
        if not self.told:
            return None
        return self.cached / self.cached_of if self.cached_of else 0.0


def _is_full(record: Record) -> bool:
    usage = record.usage
    return (
        usage is not None
        and usage.complete
        and usage.input_tokens is not None
        and usage.output_tokens is not None
    )


@dataclass(slots=True)
class ModelFigures:
    """Sums over the jobs of one model, or over all."""

    jobs: int = 0
    answered: int = 0
    failed: int = 0
    interrupted: int = 0
    cut_off: int = 0
    """Answers that ended at their token limit."""
    known: int = 0
    """What is known of the cost, in picodollars."""
    priced: int = 0
    """Jobs of which some cost is known."""
    unknown_jobs: int = 0
    """Jobs that may have cost something unknown."""
    tokens: Tokens = field(default_factory=Tokens)
    at_once: Histogram = field(default_factory=Histogram)
    """Of the jobs that were answered at the first request."""
    last_try: Histogram = field(default_factory=Histogram)
    """Of the other jobs that were answered, their last requests alone."""
    all_tries: Histogram = field(default_factory=Histogram)
    """Of these jobs from their first send on, with the waits between."""
    first: Histogram = field(default_factory=Histogram)
    """To the first token, where the answer streamed."""

    def extend(self, records: Sequence[Record]) -> None:
        """Count some records."""
        answered = [record for record in records if record.status == "succeeded"]
        failed = sum([record.status == "failed" for record in records])
        self.jobs += len(records)
        self.answered += len(answered)
        self.failed += failed
        self.interrupted += len(records) - len(answered) - failed
        self.cut_off += sum([record.finish_reason == "length" for record in records])
        self.tokens.extend(records)
        self._add_costs(records)
        self._add_times(answered)

    def _add_costs(self, records: Sequence[Record]) -> None:
        costs = [record.cost_usd for record in records if record.cost_usd is not None]
        self.known += sum(map(picodollars, costs))
        self.priced += len(costs)
        if len(costs) == len(records):
            return
        for record in records:
            if record.cost_usd is None:
                known, _ = cost_of(record)
                self.known += known
                self.priced += known > 0
                self.unknown_jobs += 1

    def _add_times(self, answered: Sequence[Record]) -> None:
        tried = [record for record in answered if len(record.attempts) > 1]
        at_once = answered
        if tried:
            at_once = [record for record in answered if len(record.attempts) <= 1]
            last = [record.attempts[-1].duration_s for record in tried]
            self.last_try.extend([time for time in last if time is not None])
            self.all_tries.extend(_durations(tried))
        self.at_once.extend(_durations(at_once))
        first = [record.time_to_first_token_s for record in answered]
        self.first.extend([time for time in first if time is not None])

    @property
    def latency(self) -> Histogram:
        """Times of the requests that were answered."""
        return _merged(self.at_once, self.last_try)

    @property
    def whole(self) -> Histogram:
        """Times of the jobs that were answered, from their first send in the last run on."""
        return _merged(self.at_once, self.all_tries)

    def merge(self, other: "ModelFigures") -> None:
        """Add the sums of other jobs."""
        self.jobs += other.jobs
        self.answered += other.answered
        self.failed += other.failed
        self.interrupted += other.interrupted
        self.cut_off += other.cut_off
        self.known += other.known
        self.priced += other.priced
        self.unknown_jobs += other.unknown_jobs
        self.tokens.merge(other.tokens)
        self.at_once.merge(other.at_once)
        self.last_try.merge(other.last_try)
        self.all_tries.merge(other.all_tries)
        self.first.merge(other.first)

    @property
    def known_usd(self) -> float | None:
        """What is known of the cost; None where nothing is."""
        return usd(self.known) if self.priced or not self.unknown_jobs else None


def cost_of(record: Record) -> tuple[int, bool]:
    """Give what is known of a job's cost, in picodollars, and whether there may be more."""
    if record.cost_usd is not None:
        return picodollars(record.cost_usd), False
    known = (one.cost_usd for one in record.attempts if one.cost_usd is not None)
    return sum(map(picodollars, known)), True


def _durations(records: Sequence[Record]) -> list[float]:
    return [record.duration_s for record in records if record.duration_s is not None]


def _merged(one: Histogram, other: Histogram) -> Histogram:
    merged = Histogram()
    merged.merge(one)
    merged.merge(other)
    return merged
