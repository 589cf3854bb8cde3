"""Jobs and price books for the tests."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from runner.config import BUILT_IN_PROVIDERS, ProviderConfig, TokenPrices
from runner.models import Job, Request
from runner.pricing.book import PriceBook

NOW = datetime(2026, 11, 23, tzinfo=UTC)
"""After every start date in the bundled list."""
OWN_PRICES = TokenPrices(
    input=Decimal("0.10"), cached_input=Decimal("0.05"), output=Decimal("0.40")
)
OWN = ProviderConfig(
    name="vllm", api="openai", base_url="http://127.0.0.1:8000/v1", prices=OWN_PRICES
)


def job(
    provider: str = "openai",
    model: str = "gpt-5-mini",
    *,
    prompt: Any = "Why is the sky blue?",
    system: Any = None,
    max_tokens: int | None = None,
    **params: Any,
) -> Job:
    """A job that asks one thing."""
    messages = [{"role": "user", "content": prompt}]
    request = Request(messages=messages, system=system, max_tokens=max_tokens, params=params)
    return Job(id="a", digest="0" * 64, line=1, provider=provider, model=model, request=request)


def book(*own: ProviderConfig, now: datetime = NOW) -> PriceBook:
    """The built-in providers, and some of one's own over them."""
    providers: Mapping[str, ProviderConfig] = {
        **BUILT_IN_PROVIDERS,
        **{one.name: one for one in own},
    }
    return PriceBook(providers, lambda: now, {"anthropic": 4096})
