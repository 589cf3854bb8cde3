"""From what was gathered to tokens and money. Pure; None is what nobody can say."""

from collections.abc import Collection, Sequence

from runner.checking.costs import added, cost_of
from runner.checking.gather import LANES, Group
from runner.checking.recorded import Learnt
from runner.checking.sizes import sum_of, tokens_in
from runner.checking.spread import Spread, spread_of
from runner.config import ModelRef, ProviderConfig
from runner.pricing.book import PriceBook
from runner.settings import Lane
from runner.view.texts_estimate import SHOWN_CAP, Estimate, Sum

_FEW = 10
"""So few answers say little of the rest."""
_MARGIN, _MARGIN_OF_FEW = 0.03, 0.15

Factors = tuple[float, float, float]


def estimate(
    ref: ModelRef,
    groups: Sequence[Group],
    learnt: Learnt | None,
    book: PriceBook,
    provider: ProviderConfig,
    lanes: Collection[Lane],
    lane: Lane,
    dearest: Lane,
) -> Estimate:
    """Say what the jobs of one model come to.

    `lanes`: those that it has. `lane`: the one that is meant; `dearest` bounds what it may cost.
    """
    spread, factors = _factors(ref, groups, learnt, provider)
    inputs = [_input(group, spread, factors) for group in groups]
    mean = None if learnt is None else learnt.mean
    jobs = sum(group.jobs for group in groups)
    bounded = not any(group.uncapped for group in groups)
    capped = sum(group.cap_tokens for group in groups) if bounded else None
    told = None if mean is None else mean * jobs

    def cost(lane: Lane, cap: int | None = None) -> Sum:
        pairs = zip(groups, inputs, strict=True)
        return added(cost_of(group, read, mean, cap, lane, book) for group, read in pairs)

    costs = {one: cost(one) for one in lanes}
    if lane in costs:
        costs[lane] = costs[lane]._replace(high=costs[dearest].high)
    return Estimate(
        model=f"{ref.provider}/{ref.model}",
        jobs=jobs,
        input_tokens=added(inputs),
        capped_tokens=capped,
        mean_tokens=mean,
        answers=0 if learnt is None else learnt.answers,
        output_tokens=told if told is None or capped is None else min(told, capped),
        busy_s=None if learnt is None or learnt.mean_s is None else learnt.mean_s * jobs,
        cost=costs,
        most_with_cap=cost(dearest, SHOWN_CAP).high,
        lane=lane,
    )


def whole_of(models: Sequence[Estimate], lane: Lane) -> Estimate:
    """Add up the estimates of all models."""
    costs: dict[Lane, Sum] = {}
    caps = [model.capped_tokens for model in models]
    for one in LANES:
        # A lane that some model lacks is none for all.
        if all(one in model.cost for model in models):
            costs[one] = added(model.cost[one] for model in models)
    return Estimate(
        jobs=sum(model.jobs for model in models),
        input_tokens=added(model.input_tokens for model in models),
        capped_tokens=None if None in caps else sum(cap for cap in caps if cap is not None),
        mean_tokens=models[0].mean_tokens if len(models) == 1 else None,
        answers=sum(model.answers for model in models),
        output_tokens=added(Sum(about=model.output_tokens) for model in models).about,
        busy_s=added(Sum(about=model.busy_s) for model in models).about,
        cost=costs,
        most_with_cap=added(Sum(high=model.most_with_cap) for model in models).high,
        lane=lane,
    )


def _input(group: Group, spread: Spread, factors: Factors | None) -> Sum:
    """Estimate what a group is to read: as its kind of text has it, or by factors on the middle."""
    each = [
        text * share + group.jobs * request + group.messages * message
        for text, share, request, message in zip(
            tokens_in(group.sizes),
            (spread.low, spread.about, spread.high),
            spread.request,
            spread.message,
            strict=True,
        )
    ]
    found = Sum(*each) if factors is None else Sum(*(factor * each[1] for factor in factors))
    return Sum(found.low) if group.opaque else found


def _factors(
    ref: ModelRef, groups: Sequence[Group], learnt: Learnt | None, provider: ProviderConfig
) -> tuple[Spread, Factors | None]:
    """Give what to make of sizes: as is usual, and factors on that where usage told."""
    sizes = groups[0].sizes
    for group in groups[1:]:
        sizes = sum_of(sizes, group.sizes)
    spread = spread_of(provider, ref.model, sizes)
    return spread, None if learnt is None else _ratios(spread, learnt.seen)


def _ratios(spread: Spread, seen: Sequence[tuple[Group, int]]) -> Factors | None:
    """Say by which factor true counts differ from estimates: the least, the mean, the most."""
    pairs = []
    for group, true in seen:
        guess = _input(group, spread, None).about
        if guess:
            pairs.append((true, guess))
    if not pairs:
        return None
    mean = sum(true for true, _ in pairs) / sum(guess for _, guess in pairs)
    each = sorted(true / guess for true, guess in pairs)
    # Outliers apart: the sum of many is meant, not each.
    cut = len(each) // 20
    margin = _MARGIN if len(each) >= _FEW else _MARGIN_OF_FEW
    low = min(each[cut], mean) * (1 - margin)
    high = max(each[-1 - cut], mean) * (1 + margin)
    return low, mean, high
