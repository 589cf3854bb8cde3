"""What an answer cost, checked against genai-prices' own arithmetic."""

from decimal import Decimal
from typing import Any

import pytest
from genai_prices import Usage as ListedUsage
from genai_prices import calc_price
from genai_prices.data import providers
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.config import TokenPrices
from runner.models import Usage
from runner.pricing.price_list import listed
from runner.pricing.rates import Rates, Step, configured, per_token, picodollars, usd
from tests.pricing.jobs import NOW, OWN_PRICES

FEW = settings(max_examples=100, deadline=None, derandomize=True, database=None)
STEP = Step(input=10, cached_input=1, cache_write=12, cache_write_1h=20, output=50, reasoning=60)
MODELS = [
    (provider.id, model.id)
    for provider in providers
    if provider.id in ("openai", "anthropic")
    for model in provider.models
]


def usage(asked: int | None, answered: int | None, **parts: Any) -> Usage:
    """The counts of one answer."""
    return Usage(input_tokens=asked, output_tokens=answered, **parts)


def test_every_part_has_its_rate() -> None:
    """Cached, written and reasoning tokens are parts of the totals, charged once each."""
    counts = usage(
        100,
        30,
        cached_input_tokens=40,
        cache_write_tokens=25,
        cache_write_1h_tokens=5,
        reasoning_tokens=20,
    )
    parts = 35 * 10 + 40 * 1 + 20 * 12 + 5 * 20 + 10 * 50 + 20 * 60
    assert Rates(steps=(STEP,)).cost(counts) == parts


@pytest.mark.parametrize(
    "counts",
    [
        usage(None, 5),
        usage(5, None),
        Usage(),
        Usage(input_tokens=5, output_tokens=5, complete=False),
        # Parts that are more than the whole: some server counts them beside it.
        usage(5, 5, cached_input_tokens=4, cache_write_tokens=2),
        usage(5, 5, reasoning_tokens=6),
        usage(5, 5, cache_write_tokens=2, cache_write_1h_tokens=3),
    ],
)
def test_what_is_not_fully_told_has_no_cost(counts: Usage) -> None:
    """A missing, unfinished or contradictory count is unknown, never 0."""
    assert Rates(steps=(STEP,)).cost(counts) is None


def test_parts_that_are_not_told_are_none() -> None:
    """Without details all input costs what input costs, and all output what output costs."""
    assert Rates(steps=(STEP,)).cost(usage(3, 2)) == 3 * 10 + 2 * 50
    assert Rates(steps=(STEP,)).cost(usage(0, 0)) == 0


@FEW
@given(
    cached=st.integers(0, 300_000),
    written=st.integers(0, 300_000),
    fresh=st.integers(0, 300_000),
    answered=st.integers(0, 200_000),
    thought=st.integers(0, 100_000),
    which=st.sampled_from(MODELS),
)
def test_costs_are_those_of_the_price_list(
    cached: int, written: int, fresh: int, answered: int, thought: int, which: tuple[str, str]
) -> None:
    """For every listed model and any counts the cost is what the list's own arithmetic gives."""
    seller, model = which
    rates = listed(seller, model, {}, NOW)
    if rates is None:
        return
    asked, said = cached + written + fresh, answered + thought
    for_long = written // 3
    ours = rates.cost(
        usage(
            asked,
            said,
            cached_input_tokens=cached,
            cache_write_tokens=written,
            cache_write_1h_tokens=for_long,
            reasoning_tokens=thought,
        )
    )
    theirs = calc_price(
        ListedUsage(
            input_tokens=asked,
            output_tokens=said,
            cache_read_tokens=cached,
            cache_write_tokens=written,
            cache_write_1h_tokens=for_long,
            output_reasoning_tokens=thought,
        ),
        model,
        provider_id=seller,
        genai_request_timestamp=NOW,
    )
    assert ours is not None
    assert Decimal(ours) / 10**12 == theirs.total_price


def test_most_listed_models_have_a_price() -> None:
    """Unknown are those that are billed by pictures, seconds or searches, and nothing else."""
    known = [which for which in MODELS if listed(*which, {}, NOW) is not None]
    assert len(known) > 0.7 * len(MODELS)
    for model in ("gpt-audio", "whisper-1", "gpt-image-1", "text-embedding-3-small"):
        assert ("openai", model) not in known


def test_a_step_holds_for_all_tokens_once_it_is_passed() -> None:
    """At the threshold the lower price holds, one token beyond it the higher one for all."""
    rates = listed("anthropic", "claude-sonnet-4-5", {}, NOW)
    assert rates is not None
    assert rates.cost(usage(200_000, 1)) == 200_000 * 3_000_000 + 15_000_000
    assert rates.cost(usage(200_001, 1)) == 200_001 * 6_000_000 + 22_500_000


def test_configured_prices_stand_for_parts_that_are_not_priced() -> None:
    """Without a price of their own cached and written tokens are input, reasoning is output."""
    rates = configured(OWN_PRICES)
    counts = usage(1000, 10, cached_input_tokens=400, cache_write_tokens=100, reasoning_tokens=5)
    assert rates.cost(counts) == 600 * 100_000 + 400 * 50_000 + 10 * 400_000
    full = TokenPrices(
        input=Decimal(1),
        output=Decimal(2),
        cached_input=Decimal(3),
        cache_write=Decimal(4),
        reasoning=Decimal(5),
    )
    parts = 500 * 1 + 400 * 3 + 100 * 4 + 5 * 2 + 5 * 5
    assert configured(full).cost(counts) == parts * 10**6


@pytest.mark.parametrize(
    ("price", "rate"),
    [("0", 0), ("0.000001", 1), ("0.0000001", 1), ("0.0125", 12_500), ("75", 75_000_000)],
)
def test_no_price_is_rounded_to_nothing(price: str, rate: int) -> None:
    """A rate is a whole number of picodollars a token, never less than the price."""
    assert per_token(Decimal(price)) == rate


@FEW
@given(st.integers(0, 10**15))
def test_amounts_survive_the_results_file(amount: int) -> None:
    """Up to 1,000 USD an amount is the same after it was written and read."""
    assert picodollars(usd(amount)) == amount


@FEW
@given(
    cached=st.integers(0, 400_000),
    written=st.integers(0, 400_000),
    fresh=st.integers(0, 400_000),
    answered=st.integers(0, 50_000),
    more=st.integers(0, 300_000),
    which=st.sampled_from(MODELS),
)
def test_no_answer_costs_more_than_the_most(
    cached: int, written: int, fresh: int, answered: int, more: int, which: tuple[str, str]
) -> None:
    """However a request's tokens turn out below its bounds: it costs at most what was said."""
    rates = listed(*which, {}, NOW)
    if rates is None:
        return
    asked = cached + written + fresh
    cost = rates.cost(
        usage(asked, answered, cached_input_tokens=cached, cache_write_tokens=written)
    )
    assert cost is not None
    assert cost <= rates.most(asked + more, answered + more, writes_cache=True)
    if not written:
        assert cost <= rates.most(asked + more, answered + more, writes_cache=False)
