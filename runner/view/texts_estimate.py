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
    lines = [_model_line(one) for one in models[:_MODELS_SHOWN]] if len(models) > 1 else []
    lines.append(labelled("input", _input(whole.input_tokens)))
    lines.append(labelled("output", _output(whole)))
    lines.append(labelled("cost", _cost(whole)))
    less = _less(whole)
    if less:
        lines.append(labelled("", less))
    lines.append(labelled("time", _time(whole.time_s)))
    if longest and whole.jobs > 1:
        said = [f"line {count(line)} ({count(size)} characters)" for line, size in longest]
        lines.append(labelled("longest", ", ".join(said)))
    return lines


def _model_line(one: Estimate) -> str:
    name = printable(one.model)
    tokens = _input(one.input_tokens).removesuffix(")").split(" (")[0]
    return labelled(count(one.jobs), f"{name}: {tokens} in, {_cost(one)}")


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
        parts.append("no cap on all of it")
    return ", ".join(parts) or "unknown: no --max-tokens on all jobs, no answers yet"


def _cost(one: Estimate) -> str:
    cost = one.cost.get(one.lane, Sum())
    if cost.low is None:
        return "unknown: no price is known"
    parts = []
    if cost.about is not None:
        parts.append(f"about {_usd(cost.about)}")
    parts.append(f"at least {_usd(cost.low)}")
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


def _time(time_s: Sum) -> str:
    if time_s.low is None:
        return "unknown: no limits are given (--rpm, --tpm)"
    if time_s.about is not None:
        return f"about {duration(time_s.about)} at the given limits"
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
