"""The prices of one run: every provider and model of its configuration, looked up once."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum

from runner.config import ProviderConfig
from runner.models import Api, Job, Request, Usage
from runner.pricing.bounds import input_bound, output_bound
from runner.pricing.price_list import Seller, listed, listed_models
from runner.pricing.rates import Rates, configured, usd
from runner.pricing.terms import STANDARD, Terms, terms_of
from runner.pricing.tiers import FLEX, asked_tier, is_told

_SELLERS: Mapping[Api, Seller] = {
    "openai": "openai",
    "openai-responses": "openai",
    "anthropic": "anthropic",
}
_CAPS: Mapping[Api, tuple[str, ...]] = {
    "openai": ("max_completion_tokens", "max_tokens"),
    "openai-responses": ("max_output_tokens",),
    "anthropic": ("max_tokens",),
}


class Lacking(Enum):
    """Why nobody can say beforehand what a request may cost."""

    PRICE = "its price is unknown"
    TERMS = "it asks for more than tokens, such as the provider's own tools"
    INPUT = "its input is not all text, and the model's limit is unknown"
    OUTPUT = "nothing bounds its answer"


class PriceBook:
    """Says what answers cost and what requests can cost. Amounts are whole picodollars.

    A provider with an address of its own is priced by the configuration alone, for nobody knows
    whose price list holds there; so is the simulator.
    """

    def __init__(
        self,
        providers: Mapping[str, ProviderConfig],
        now: Callable[[], datetime],
        default_caps: Mapping[Api, int] | None = None,
    ) -> None:
        """`default_caps`: what an adapter sends as cap where nobody chose one."""
        self._providers = providers
        self._now = now
        self._default_caps = default_caps or {}
        self._known: dict[tuple[str, str, Terms], Rates | None] = {}

    def rates(self, provider: str, model: str, terms: Terms = STANDARD) -> Rates | None:
        """Give the prices in force when this model was first asked for; None where unknown."""
        key = (provider, model, terms)
        try:
            return self._known[key]
        except KeyError:
            found = self._known[key] = self._look_up(provider, model, terms)
            return found

    def models(self, provider: str) -> list[str]:
        """Name the models whose prices are known for a provider; not all that there are."""
        config = self._providers[provider]
        own = list(config.model_prices)
        if config.simulated or config.base_url is not None:
            return own
        return [*own, *listed_models(_SELLERS[config.api])]

    def cost(
        self, job: Job, usage: Usage, lane: str = "live", told: str | None = None
    ) -> int | None:
        """Give what one answer to a job cost; None where price or a count is unknown.

        `lane`: in which it was asked for. `told`: the tier at which the response says it was
        served. Where flex was asked for and the response does not say, nobody knows the price.
        """
        params = job.request.params
        if not is_told(told) and asked_tier(params, lane) == FLEX:
            return None
        terms = terms_of(params, lane, told)
        rates = None if terms is None else self.rates(job.provider, job.model, terms)
        return None if rates is None else rates.cost(usage)

    def cost_usd(
        self, job: Job, usage: Usage, lane: str = "live", told: str | None = None
    ) -> float | None:
        """Give the same in USD, as records hold it."""
        amount = self.cost(job, usage, lane, told)
        return None if amount is None else usd(amount)

    def worst_case(self, job: Job, lane: str = "live") -> "int | Lacking":
        """Give the most that one attempt at a job can cost, or what is lacking to say so."""
        terms = terms_of(job.request.params, lane)
        if terms is None:
            return Lacking.TERMS
        rates = self.rates(job.provider, job.model, terms)
        if rates is None:
            return Lacking.PRICE
        config = self._providers[job.provider]
        # OpenAI writes its cache unasked; Anthropic only at a `cache_control`.
        asked, writes = input_bound(job.request, caches_unasked=config.api != "anthropic")
        asked = rates.context_window if asked is None else asked
        answered = self.answer_bound(job.provider, job.request, rates.context_window)
        if asked is None:
            return Lacking.INPUT
        if answered is None:
            return Lacking.OUTPUT
        return rates.most(asked, answered, writes_cache=writes)

    def answer_bound(self, provider: str, request: Request, window: int | None) -> int | None:
        """Give the most tokens that an answer can have; None where nothing bounds it.

        `window`: the model's own limit, where that is to count as a bound.
        """
        config = self._providers[provider]
        names = (config.max_tokens_field or _CAPS[config.api][0], *_CAPS[config.api])
        default = self._default_caps.get(config.api)
        return output_bound(request, names, default=default, window=window)

    def worst_case_usd(self, job: Job, lane: str = "live") -> float | None:
        """Give the same in USD, as records hold it; None where anything is lacking."""
        worst = self.worst_case(job, lane)
        return usd(worst) if isinstance(worst, int) else None

    def _look_up(self, provider: str, model: str, terms: Terms) -> Rates | None:
        config = self._providers[provider]
        prices = config.model_prices.get(model, config.prices)
        if ("service_tier", FLEX) in terms:
            flex = config.model_flex_prices.get(model, config.flex_prices)
            # Whose own prices are told pays no list's, whatever the tier.
            if flex is not None or prices is not None:
                return None if flex is None else configured(flex)
        elif prices is not None:
            return configured(prices)
        if config.simulated or config.base_url is not None:
            return None
        return listed(_SELLERS[config.api], model, dict(terms), self._now())
