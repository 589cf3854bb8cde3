"""From a model's name to the provider that serves it."""

import pytest

from runner.config import BUILT_IN_PROVIDERS, Config, ModelRef
from runner.errors import UsageError


@pytest.mark.parametrize(
    ("default_provider", "model", "expected"),
    [
        (None, "openai/gpt-5-mini", ("openai", "gpt-5-mini")),
        (None, "sim/./scenarios/mine.toml", ("sim", "./scenarios/mine.toml")),
        ("openai", "meta-llama/Llama-3", ("openai", "meta-llama/Llama-3")),  # no provider's name
        ("openai", "gpt-5-mini", ("openai", "gpt-5-mini")),
        ("openai", "anthropic/claude-x", ("anthropic", "claude-x")),  # a named provider wins
    ],
)
def test_only_a_providers_name_is_split_off(
    default_provider: str | None, model: str, expected: tuple[str, str]
) -> None:
    """The first segment counts as provider only where it names one."""
    assert Config(default_provider=default_provider).resolve(model) == ModelRef(*expected)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("gpt-5-mini", "openai/gpt-5-mini"),
        ("claude-haiku-4-5", "anthropic/claude-haiku-4-5"),
        ("opnai/gpt-5-mini", "Did you mean openai/gpt-5-mini?"),
        ("meta-llama/Llama-3", "put its provider before it"),
        ("openai/", "no model"),
        ("", "empty"),
        ("a\x1b[31m", "\\x1b"),  # shown, not obeyed
    ],
)
def test_a_model_that_nobody_serves_is_an_error_with_a_way_on(model: str, said: str) -> None:
    """A bare or mistyped name is refused with the name that was probably meant."""
    with pytest.raises(UsageError) as caught:
        Config().resolve(model)
    assert said in str(caught.value)


def test_the_model_given_comes_before_the_configured_one() -> None:
    """`choose` takes the given model, else the default, else says how to choose one."""
    config = Config(default_model="sim/slow", user_file="~/x/runner.toml")
    assert config.choose("sim/steady") == ("sim", "steady")
    assert config.choose(None) == ("sim", "slow")
    with pytest.raises(UsageError, match=r"(?s)no model chosen.*~/y/runner.toml.*-m sim/steady"):
        Config(user_file="~/y/runner.toml").choose(None)


def test_the_simulated_providers_need_no_key() -> None:
    """Each API has a simulated sister without a key, and a real provider with one."""
    by_kind = {(p.api, p.simulated): p.api_key_env for p in BUILT_IN_PROVIDERS.values()}
    assert by_kind == {
        ("openai", False): "OPENAI_API_KEY",
        ("openai-responses", False): "OPENAI_API_KEY",
        ("anthropic", False): "ANTHROPIC_API_KEY",
        ("openai", True): None,
        ("openai-responses", True): None,
        ("anthropic", True): None,
    }
