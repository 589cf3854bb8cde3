"""What jobs will take in tokens, money and time, as pure text. Unknown is "unknown", never 0."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, log10
from typing import NamedTuple

from runner.pricing.rates import PICODOLLARS
from runner.settings import Lane
from runner.view.layout import labelled
from runner.words import count, duration, money, plural, printable

SHOWN_CAP = 100
"""Tokens; what a cap would bound, where none is set."""
_MODELS_SHOWN = 10
_LEAST_SHOWN = PICODOLLARS // 10_000
"""As no amount below this has digits, "at least" so little says nothing."""
_LESS: tuple[Lane, ...] = ("flex", "batch")


class Sum(NamedTuple):
    """At least, about, at most; None where that cannot be said."""

    low: float | None = None
    about: float | None = None
    high: float | None = None


UNKNOWN = Sum()


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What the jobs of one model, or all, come to."""

    model: str = ""
    """As `provider/model`; empty for all."""
    jobs: int
    input_tokens: Sum
    """`high` is None where something in the requests is no text."""
    capped_tokens: int | None
    """The most that all answers have together; None where some have no bound."""
    mean_tokens: float | None = None
    """Of the recorded answers; None where some models have none."""
    answers: int = 0
    """How many recorded answers were looked at."""
    output_tokens: float | None = None
    """What the answers have together, if they are like the recorded ones."""
    busy_s: float | None = None
    """How long requests are out, one after the other, if they are like the recorded ones."""
    cost: Mapping[Lane, Sum] = field(default_factory=dict)
    """In picodollars; without the lanes that the provider does not have."""
    most_with_cap: float | None = None
    """The most in picodollars, if answers without a cap had one of `SHOWN_CAP`."""
    lane: Lane = "live"
    """The lane that is meant."""
    time_s: Sum = UNKNOWN
    """At the known limits."""


def estimate_text(
    models: Sequence[Estimate], whole: Estimate, longest: Sequence[tuple[int, int]]
) -> list[str]:
    """Say what jobs will take: by model where there are several, and all in all.

    `longest`: lines of the longest prompts and their characters.
    """
    lines = _model_lines(models) if len(models) > 1 else []
    lines.append(labelled("input", _input(whole.input_tokens)))
    lines.append(labelled("output", _output(whole)))
    lines.append(labelled("cost", _cost(whole, models)))
    less = _less(whole)
    if less:
        lines.append(labelled("", less))
    lines.append(labelled("time", _time(whole)))
    if longest and whole.jobs > 1:
        (line, size), *others = longest
        said = [f"line {count(line)} ({plural(size, 'character')})"]
        said += [f"line {count(line)} ({count(size)})" for line, size in others]
        lines.append(labelled("longest", ", ".join(said)))
    return lines


def _model_lines(models: Sequence[Estimate]) -> list[str]:
    lines = []
    for one in models[:_MODELS_SHOWN]:
        lines.append(labelled(count(one.jobs), printable(one.model)))
        said = f"input {_input(one.input_tokens)}; output {_output(one)}; cost {_cost(one)}"
        if one.time_s != UNKNOWN:
            said += f"; time {_time(one)}"
        lines.append(labelled("", said))
    others = models[_MODELS_SHOWN:]
    if others:
        jobs = sum(one.jobs for one in others)
        lines.append(labelled(count(jobs), plural(len(others), "other model")))
    lines.append("All together:")
    return lines


def _input(tokens: Sum) -> str:
    if tokens.about is None or tokens.high is None or tokens.low is None:
        least = "" if not tokens.low else f", at least {_tokens(tokens.low, floor)}"
        return f"unknown: not all of it is text{least}"
    low, high = _tokens(tokens.low, floor), _tokens(tokens.high, ceil)
    return f"about {_tokens(tokens.about)} tokens ({low} to {high})"


def _output(one: Estimate) -> str:
    parts = []
    if one.output_tokens is not None:
        mean = "" if one.mean_tokens is None else f" of {one.mean_tokens:,.0f} each"
        parts.append(
            f"about {_tokens(one.output_tokens)} tokens (as {plural(one.answers, 'answer')}{mean})"
        )
    if one.capped_tokens is not None:
        parts.append(f"at most {count(one.capped_tokens)} tokens at the cap")
    elif parts:
        parts.append("no bound without --max-tokens")
    lack = "not all have a cap or answers" if one.answers else "no --max-tokens, no answers yet"
    return ", ".join(parts) or f"unknown: {lack}"


def _cost(one: Estimate, models: Sequence[Estimate] = ()) -> str:
    if one.lane not in one.cost:
        who = f"{one.model.partition('/')[0]} has no" if one.model else "not all models have"
        return f"unknown: {who} --lane {one.lane}"
    cost = one.cost[one.lane]
    if cost.low is None:
        unpriced = sum(model.cost[one.lane].low is None for model in models)
        some = f" for {unpriced} of {plural(len(models), 'model')}" if len(models) > 1 else ""
        return f"unknown: no price is known{some}"
    parts = []
    if cost.about is not None:
        parts.append(f"about {_usd(cost.about)}")
    if cost.low >= _LEAST_SHOWN:
        parts.append(f"at least {_usd(cost.low)}")
    elif one.input_tokens.high is None:
        return "unknown: not all of it is text"
    elif not parts and cost.high is None:
        parts.append(f"{_usd(cost.low)} for the input")
    if cost.high is not None:
        parts.append(f"at most {_usd(cost.high)}")
    text = ", ".join(parts)
    if cost.high is None and one.most_with_cap is not None:
        text += f"; with --max-tokens {SHOWN_CAP} at most {_usd(one.most_with_cap)}"
    return text


def _less(one: Estimate) -> str:
    """Say what cheaper lanes would cost."""
    live = one.cost.get("live", Sum())
    key = "high" if live.high is not None else "low"
    usual = getattr(live, key)
    said: dict[str, list[str]] = {}
    for lane in _LESS:
        cost = getattr(one.cost.get(lane, Sum()), key)
        if one.lane == "live" and usual and cost is not None and cost < usual:
            half = abs(2 * cost - usual) < usual / 1000
            what = "half of it" if half else f"{cost / usual:.0%} of it"
            said.setdefault(what, []).append(f"--lane {lane}")
    return "; ".join(f"{what} with {' or '.join(lanes)}" for what, lanes in said.items())


def limit_text(whole: Estimate, limit: int, spent: int = 0) -> list[str]:
    """Say what `--max-cost` means for jobs; both amounts in picodollars, a line or none."""
    cost = whole.cost.get(whole.lane, UNKNOWN)
    low, about, high = (None if one is None else spent + one for one in cost)
    if low is None:
        ends = "it cannot be kept while a price is unknown"
    elif low > limit:
        ends = "it will end the run before all are asked"
    elif about is not None and about > limit:
        ends = "it will probably end the run before all are asked"
    elif high is not None and high <= limit:
        # Near the end a job is held at its own worst case, which is more than was estimated.
        ends = "it should be enough for all of them"
    else:
        ends = "it may end the run before all are asked"
    before = f", {_usd(spent)} of it spent before" if spent else ""
    return [labelled("limit", f"{_usd(limit)} (--max-cost){before}: {ends}")]


def _time(one: Estimate) -> str:
    time_s = one.time_s
    if one.lane == "batch":
        return "unknown: batches may take a day"
    if time_s.about is not None:
        return f"about {duration(time_s.about)} at the given limits"
    if not time_s.low:
        return "unknown: needs --rpm or --tpm, or -c and some answers"
    most = "" if time_s.high is None else f", at most {duration(time_s.high)}"
    return f"at least {duration(time_s.low)}{most} at the given limits"


def _usd(amount: float) -> str:
    return money(amount / PICODOLLARS)


def _tokens(number: float, rounded: Callable[[float], int] = round) -> str:
    """Write a number of tokens with two figures, as nobody knows more."""
    if number < 100:
        return count(rounded(number))
    unit = 10 ** (floor(log10(number)) - 1)
    return count(rounded(number / unit) * unit)
