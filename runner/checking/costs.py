"""What a group of jobs may cost in a lane, in picodollars. Pure."""

from collections.abc import Iterable

from runner.checking.gather import Group
from runner.checking.sizes import characters_in
from runner.pricing.book import PriceBook
from runner.pricing.rates import Rates, Step
from runner.settings import Lane
from runner.view.texts_estimate import Sum

_CACHED_FROM = 1_024
"""Tokens; shorter beginnings are cached by nobody unasked."""
_UNEVEN = 1.5
"""By how much the longest request may have more tokens a character than the mean."""


def added(sums: Iterable[Sum]) -> Sum:
    """Add up; what is not known of one is not known of all."""
    columns = list(zip(*sums, strict=True))
    return Sum(*map(_added, columns)) if columns else Sum(0, 0, 0)


def _added(column: Iterable[float | None]) -> float | None:
    known = list(column)
    return None if None in known else sum(one for one in known if one is not None)


def cost_of(
    group: Group, read: Sum, mean: float | None, cap: int | None, lane: Lane, book: PriceBook
) -> Sum:
    """Give what the jobs cost. `cap` stands for those that have none."""
    terms = group.terms[lane]
    rates = None if terms is None else book.rates(*group.ref, terms)
    if rates is None or read.low is None:
        return Sum()
    longest = _longest(group, read)
    steps = _reachable(rates, longest)
    cached = group.caches or longest >= _CACHED_FROM
    cheapest = min(min(step.input, step.cached_input if cached else step.input) for step in steps)
    about = None
    if read.about is not None and mean is not None:
        step = rates.step(int(read.about / max(1, group.jobs)))
        written = mean * group.jobs
        if not group.uncapped:
            written = min(written, group.cap_tokens)
        about = read.about * step.input + written * step.output
    return Sum(read.low * cheapest, about, _most(group, read, cap, steps, cached=cached))


def _most(
    group: Group, read: Sum, cap: int | None, steps: list[Step], *, cached: bool
) -> float | None:
    if read.high is None or (group.uncapped and cap is None):
        return None
    dearest = max(
        max(step.input, *((step.cache_write, step.cache_write_1h) if cached else ()), 0)
        for step in steps
    )
    answered = max(max(step.output, step.reasoning) for step in steps)
    written = group.cap_tokens + group.uncapped * (cap or 0)
    return read.high * dearest + written * answered


def _longest(group: Group, read: Sum) -> float:
    """Bound the tokens of the longest request."""
    tokens = read.high if read.high is not None else read.low or 0.0
    mean = tokens / max(1, characters_in(group.sizes))
    return min(tokens, _UNEVEN * mean * group.largest)


def _reachable(rates: Rates, longest: float) -> list[Step]:
    return [step for step in rates.steps if step.above < longest] or [rates.steps[0]]
