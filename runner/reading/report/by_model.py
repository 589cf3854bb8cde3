"""What the jobs of one model in one lane came to."""

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

    def add(self, record: Record) -> None:
        """Add one record; a failure without usage is no unknown answer."""
        usage = record.usage
        if usage is None:
            self.unknown += record.status != "failed"
            return
        self.known += 1
        given, made, cached = usage.input_tokens, usage.output_tokens, usage.cached_input_tokens
        if given is None or made is None or not usage.complete:
            self.unknown += record.status != "failed"
        self.input += given or 0
        self.output += made or 0
        if cached is not None and given is not None:
            self.cached += cached
            self.cached_of += given
            self.told += 1

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

    def add(self, record: Record) -> tuple[int, bool]:
        """Count one record; give what is known of its cost, and whether there may be more."""
        self.jobs += 1
        self.cut_off += record.finish_reason == "length"
        status = record.status
        if status == "succeeded":
            self.answered += 1
            whole = record.duration_s
            if len(record.attempts) > 1:
                self._add_tries(record)
            elif whole is not None:
                self.at_once.add(whole)
            if record.time_to_first_token_s is not None:
                self.first.add(record.time_to_first_token_s)
        elif status == "failed":
            self.failed += 1
        else:
            self.interrupted += 1
        self.tokens.add(record)
        cost = record.cost_usd
        if cost is not None:
            known = picodollars(cost)
            self.known += known
            self.priced += 1
            return known, False
        self.unknown_jobs += 1
        known = _known(record)
        self.known += known
        self.priced += known > 0
        return known, True

    def _add_tries(self, record: Record) -> None:
        last = record.attempts[-1].duration_s
        if last is not None:
            self.last_try.add(last)
        if record.duration_s is not None:
            self.all_tries.add(record.duration_s)

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


def _known(record: Record) -> int:
    """Give what is known of the cost of a job of which not all is known."""
    return sum(picodollars(one.cost_usd) for one in record.attempts if one.cost_usd is not None)


def _merged(one: Histogram, other: Histogram) -> Histogram:
    merged = Histogram()
    merged.merge(one)
    merged.merge(other)
    return merged
