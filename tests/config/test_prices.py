"""Prices in a configuration document."""

import tomllib
from decimal import Decimal

import pytest

from runner.config import ProviderConfig, TokenPrices
from runner.config_tables import read_document
from runner.errors import UsageError

VLLM = '[providers.vllm]\napi = "openai"\nbase_url = "http://127.0.0.1:8000/v1"\n'


def provider(text: str, *, trusted: bool = True) -> ProviderConfig:
    """Read the one provider of a document."""
    read = read_document(tomllib.loads(text), source="conf.toml", trusted=trusted)
    (found,) = read.providers.values()
    return found


def test_prices_arrive_digit_by_digit() -> None:
    """A tenth is a tenth, and what is not said is None and not 0."""
    read = provider(VLLM + "prices = { input = 0.10, cached_input = 0.05, output = 2 }").prices
    assert read == TokenPrices(
        input=Decimal("0.1"), cached_input=Decimal("0.05"), output=Decimal(2)
    )
    assert read is not None
    assert (read.cache_write, read.reasoning) == (None, None)
    assert provider(VLLM).prices is None


def test_all_keys_of_prices_are_known() -> None:
    """Cache writes and reasoning may have prices of their own."""
    text = "prices = { input = 1, cached_input = 2, cache_write = 3, output = 4, reasoning = 5 }"
    read = provider(VLLM + text).prices
    assert read is not None
    rates = (read.input, read.cached_input, read.cache_write, read.output, read.reasoning)
    assert rates == tuple(map(Decimal, (1, 2, 3, 4, 5)))


def test_a_model_may_have_prices_of_its_own() -> None:
    """They stand under the model's whole name, slashes included."""
    text = VLLM + '[providers.vllm.models."meta/llama-3"]\nprices = { input = 0, output = 0 }'
    assert provider(text).model_prices == {
        "meta/llama-3": TokenPrices(input=Decimal(0), output=Decimal(0))
    }


def test_flex_has_prices_of_its_own() -> None:
    """For a provider or a model, beside the standard ones or alone; none follows from another."""
    half = "flex_prices = { input = 0.5, output = 1 }"
    model = '[providers.vllm.models."m"]\n'
    read = provider(
        f"{VLLM}flex = true\nprices = {{ input = 1, output = 2 }}\n{half}\n{model}{half}"
    )
    assert (read.flex, read.flex_prices) == (
        True,
        TokenPrices(input=Decimal("0.5"), output=Decimal(1)),
    )
    assert read.model_flex_prices == {"m": read.flex_prices}
    assert read.model_prices == {}
    assert (provider(VLLM).flex, provider(VLLM).flex_prices) == (None, None)
    assert provider(f"[providers.sim]\n{half}").flex_prices == read.flex_prices


@pytest.mark.parametrize("name", ["openai", "sim", "sim-anthropic"])
def test_built_in_providers_may_be_priced(name: str) -> None:
    """One's own price list goes over what is known of a provider; the simulator may have one."""
    read = provider(f"[providers.{name}]\nprices = {{ input = 1, output = 2 }}")
    assert read.prices == TokenPrices(input=Decimal(1), output=Decimal(2))
    assert read.base_url is None


def test_the_simulator_takes_nothing_but_prices() -> None:
    """Its address is its own."""
    with pytest.raises(UsageError, match="takes prices and nothing else"):
        provider('[providers.sim]\nbase_url = "http://127.0.0.1:1/v1"')


def test_a_file_that_merely_lies_there_may_price_its_own_providers_only() -> None:
    """What costs money is not made cheap by a folder somebody sent."""
    text = "prices = { input = 0, output = 0 }"
    assert provider(VLLM + text, trusted=False).prices is not None
    with pytest.raises(UsageError, match="would redefine a built-in provider"):
        provider(f"[providers.openai]\n{text}", trusted=False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prices = { input = 1 }", "lacks output. Where it costs nothing, write 0"),
        ("prices = { output = 1 }", "lacks input"),
        ("prices = {}", "lacks input"),
        ("prices = 3", "must be a table such as"),
        ("flex = 1", "flex under .* must be true or false"),
        ("flex_prices = { input = 1 }", "flex_prices under .* lacks output"),
        ('models = { "m" = {} }', "holds prices and nothing else"),
        ("prices = { input = -1, output = 1 }", "input in prices under .* must be a number"),
        ("prices = { input = nan, output = 1 }", "must be a number"),
        ("prices = { input = inf, output = 1 }", "must be a number"),
        ("prices = { input = 1e9, output = 1 }", "must be a number"),
        ("prices = { input = true, output = 1 }", "must be a number"),
        ('prices = { input = "0.1", output = 1 }', "must be a number"),
        ("prices = { input = 1, outputs = 1 }", 'Did you mean "output"'),
        ("prices = { input = 1, zzz = 1 }", "Known are: input, output, cached_input"),
        ("models = 3", "must be a table"),
        ('models = { "m" = { rpm = 3 } }', "holds prices and nothing else"),
        ('models = { "m" = 3 }', r'\[providers.vllm.models."m"\]'),
        ('models = { "m" = { prices = 3 } }', "table of USD per million tokens"),
        ('models = { "m" = { prices = { input = 1 } } }', r'under \[providers.vllm.models."m"\]'),
    ],
)
def test_prices_that_cannot_be_meant_are_refused(text: str, words: str) -> None:
    """The message names the file, the key and what would be right."""
    with pytest.raises(UsageError, match=words) as refused:
        provider(VLLM + text)
    assert str(refused.value).startswith("conf.toml: ")


def test_an_api_without_the_tier_cannot_be_said_to_have_it() -> None:
    """No word in the configuration gives Anthropic's API a flex tier."""
    with pytest.raises(UsageError, match='api = "anthropic" has no such tier'):
        provider("[providers.anthropic]\nflex = true")
