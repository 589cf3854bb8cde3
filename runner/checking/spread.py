"""How far the estimate of an input may be off, by who counts and what is counted. Pure."""

from typing import NamedTuple

from runner.checking.sizes import Sizes, characters_in
from runner.config import ProviderConfig

_OLD = ("gpt-3.5", "gpt-4-", "davinci", "babbage")
"""OpenAI's models that count by older tables than o200k_base."""
_LITTLE = 20_000
"""Characters; so little text is like its kind less surely than much of it."""


class Spread(NamedTuple):
    """Factors on the tokens of a text, and tokens that come on top of them."""

    low: float
    about: float
    high: float
    request: tuple[float, float, float]
    """What a server adds to each."""
    message: tuple[float, float, float]


_OPENAI = Spread(0.95, 1.0, 1.10, (1, 3, 5), (2, 4, 6))
"""Three tokens a message, one for its role and three for the answer's beginning, says OpenAI."""
_OTHERS = Spread(0.95, 1.10, 1.60, (0, 4, 40), (1, 4, 8))
"""Mistral's, Llama's and older tables of OpenAI's; a chat template may hold the date and more."""
_ANTHROPIC = Spread(0.95, 1.25, 1.90, (0, 4, 20), (1, 4, 8))
"""Nobody else can count as Claude does; newer models say they need up to a third more."""


def spread_of(provider: ProviderConfig, model: str, sizes: Sizes) -> Spread:
    """Say how far off the tokens of so much text may be, before any usage is known."""
    found = _OTHERS
    if provider.api == "anthropic":
        found = _ANTHROPIC
    elif provider.base_url is None and not provider.simulated and not _is_old(model):
        found = _OPENAI
    low, high = found.low, found.high
    if characters_in(sizes) < _LITTLE:
        low, high = low - 0.1, high + 0.1
    return found._replace(low=low, high=high)


def _is_old(model: str) -> bool:
    return model == "gpt-4" or model.startswith(_OLD)
