"""Prices as the package genai-prices lists them: bundled with it, never fetched.

The one owner of genai-prices, which is imported when the first price is looked up: it costs
0.05 s beside an SDK and 0.15 s alone, most of it pydantic and httpx2.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from runner.pricing.rates import Rates, Step, per_token

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice

Seller = str
"""Who sends the bill, by the list's name: `openai`, `anthropic`."""

_INPUT, _OUTPUT = "input_mtok", "output_mtok"
_CACHED, _REASONING = "cache_read_mtok", "output_reasoning_mtok"
_WRITTEN, _WRITTEN_1H = "cache_write_mtok", "cache_write_1h_mtok"
_COUNTED = frozenset({_INPUT, _OUTPUT, _CACHED, _REASONING, _WRITTEN, _WRITTEN_1H})
"""What our counts tell apart."""
_OF_TOOLS = frozenset({"web_searches_kcount", "storage_searches_kcount"})
"""Fees of tools that the provider runs; requests for such are priced nowhere here."""
_SEARCHES = "-search-"
"""Models that search at every request, for a fee that no count tells of."""


def listed(seller: Seller, model: str, terms: Mapping[str, str], now: datetime) -> Rates | None:
    """Look a model up at the prices in force now.

    None where the list does not know the model, its input or output price, these terms (such as
    `service_tier: priority`), or prices it by more than our counts tell apart.
    """
    from genai_prices.data_snapshot import get_snapshot

    try:
        _, found = get_snapshot().find_provider_model(model, None, seller, None)
    except LookupError:
        return None
    if _SEARCHES in f"{model.lower()}-" or not _offers(found, terms, now):
        return None
    return _rates(found.get_prices(now, dict(terms)), found.context_window)


def listed_models(seller: Seller) -> list[str]:
    """Name the models on a seller's list."""
    from genai_prices.data_snapshot import get_snapshot

    return [
        model.id
        for provider in get_snapshot().providers
        if provider.id == seller
        for model in provider.models
    ]


def _offers(found: "ModelInfo", terms: Mapping[str, str], now: datetime) -> bool:
    """Whether there is a price for each term: the list itself falls back to the standard one."""
    active = [
        variant.when
        for variant in found.price_variants or ()
        if variant.constraint is None or variant.constraint.active(now)
    ]
    return all({name: value} in active for name, value in terms.items())


def _rates(prices: "ModelPrice", context_window: int | None) -> Rates | None:
    from genai_prices.types import TieredPrices

    told = {
        key: value
        for key, value in vars(prices).items()
        if value is not None and key not in _OF_TOOLS
    }
    if _INPUT not in told or _OUTPUT not in told or not told.keys() <= _COUNTED:
        return None
    starts = {
        tier.start
        for value in told.values()
        if isinstance(value, TieredPrices)
        for tier in value.tiers
    }
    steps = [_step(told, above) for above in (-1, *sorted(starts))]
    return Rates(steps=tuple(steps), context_window=context_window)


def _step(told: Mapping[str, object], above: int) -> Step:
    def rate(key: str, otherwise: str) -> int:
        return per_token(_at(told[key if key in told else otherwise], above))

    written = _WRITTEN if _WRITTEN in told else _INPUT
    return Step(
        above=above,
        input=rate(_INPUT, _INPUT),
        cached_input=rate(_CACHED, _INPUT),
        cache_write=rate(_WRITTEN, _INPUT),
        cache_write_1h=rate(_WRITTEN_1H, written),
        output=rate(_OUTPUT, _OUTPUT),
        reasoning=rate(_REASONING, _OUTPUT),
    )


def _at(price: object, above: int) -> Decimal:
    from genai_prices.types import TieredPrices

    if isinstance(price, TieredPrices):
        reached = [tier.price for tier in price.tiers if tier.start <= above]
        return reached[-1] if reached else price.base
    assert isinstance(price, Decimal), price  # noqa: S101 - the list holds nothing else
    return price
