"""Which providers and defaults are in force, and where each value came from. Reads no file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from runner.errors import UsageError
from runner.models import Api
from runner.words import printable


class ModelRef(NamedTuple):
    """A model and the provider that serves it."""

    provider: str
    model: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenPrices:
    """What a million tokens cost, in USD, as the configuration says."""

    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None
    """None: like any other input."""
    cache_write: Decimal | None = None
    """None: like any other input."""
    reasoning: Decimal | None = None
    """None: like any other output."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderConfig:
    """One provider as configured. Never holds a key, only the name of the variable that does."""

    name: str
    api: Api
    base_url: str | None = None
    """None leaves it to the SDK's environment variable and default."""
    api_key_env: str | None = None
    """None where no key is needed (the simulator)."""
    max_tokens_field: str | None = None
    """Name by which a compatible server takes the cap on the answer; None is the API's own."""
    include_usage: bool = True
    """Whether to ask for token counts when streaming (Chat Completions only)."""
    finish_reason: Literal["required", "optional"] = "required"
    """`optional`: this server never says why an answer ended, so that its whole body, or the
    orderly end of its stream after some output, will do (Chat Completions only)."""
    idle_timeout_s: float | None = None
    """Between two events of a stream whose words have begun; None is the engine's own bound."""
    rpm: int | None = None
    """Most requests a minute; None leaves it to what the server says."""
    tpm: int | None = None
    """Most tokens a minute."""
    prices: TokenPrices | None = None
    """For all its models, over what a price list says."""
    model_prices: Mapping[str, TokenPrices] = field(default_factory=dict)
    """By model, over `prices`."""
    flex: bool | None = None
    """Whether its server has the flex tier; None: OpenAI's own does, others do not."""
    flex_prices: TokenPrices | None = None
    """At the flex tier; None where nobody said, although `prices` may be known."""
    model_flex_prices: Mapping[str, TokenPrices] = field(default_factory=dict)
    """By model, over `flex_prices`."""
    simulated: bool = False
    """True for `sim` and its sisters: the simulator is started with the model as its scenario."""
    source: str = "built in"
    """Where this provider came from: `built in` or a file."""


BUILT_IN_PROVIDERS: Mapping[str, ProviderConfig] = MappingProxyType(
    {
        provider.name: provider
        for provider in (
            ProviderConfig(name="openai", api="openai", api_key_env="OPENAI_API_KEY"),
            ProviderConfig(
                name="openai-responses", api="openai-responses", api_key_env="OPENAI_API_KEY"
            ),
            ProviderConfig(name="anthropic", api="anthropic", api_key_env="ANTHROPIC_API_KEY"),
            ProviderConfig(name="sim", api="openai", simulated=True),
            ProviderConfig(name="sim-responses", api="openai-responses", simulated=True),
            ProviderConfig(name="sim-anthropic", api="anthropic", simulated=True),
        )
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class OptionTable:
    """One command's table in one file, as written there; `runner.cli` knows what it may hold."""

    source: str
    trusted: bool
    """False for a `runner.toml` that merely lies in the working directory."""
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """The configuration in force."""

    providers: Mapping[str, ProviderConfig] = field(default_factory=lambda: BUILT_IN_PROVIDERS)
    default_provider: str | None = None
    default_model: str | None = None
    options: Mapping[str, tuple[OptionTable, ...]] = field(default_factory=dict)
    """Per command, its tables (`[batch]`, `[tail]`), the strongest file first."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """The file that each of the defaults (`model`, `provider`) came from."""
    sources: tuple[str, ...] = ()
    """The files that were read, the strongest first."""
    user_file: str = "runner.toml"
    """Where the user's own file stands or would stand, for texts."""

    def resolve(self, model: str) -> ModelRef:
        """Split `provider/model`.

        Only a first segment that names a provider counts as one, so `meta-llama/Llama-3` stays
        whole under a default provider. Raises UsageError for a bare name without one.
        """
        first, slash, rest = model.partition("/")
        if slash and first in self.providers:
            if not rest:
                raise UsageError(f'"{printable(model)}" names a provider but no model.')
            return ModelRef(first, rest)
        if not model:
            raise UsageError("the model's name is empty.")
        if self.default_provider is not None:
            return ModelRef(self.default_provider, model)
        raise UsageError(self._unknown_provider(model))

    def choose(self, model: str | None) -> ModelRef:
        """Resolve the model given, else the configured one; raises UsageError if there is none."""
        chosen = self.default_model if model is None else model
        if chosen is None:
            raise self.no_model()
        return self.resolve(chosen)

    def no_model(self) -> UsageError:
        """The error that says how to choose a model."""
        return UsageError(
            "no model chosen. Add -m openai/... or -m anthropic/..., or set\n"
            f"RUNNER_MODEL, or write model under [defaults] in {self.user_file}.\n"
            "Without a key:  -m sim/steady"
        )

    def _unknown_provider(self, model: str) -> str:
        first, slash, rest = model.partition("/")
        shown = printable(model)
        if slash and (near := get_close_matches(first, self.providers, n=1)):
            return (
                f"no provider is called {printable(first)}. Did you mean {near[0]}/"
                f"{printable(rest)}?\nConfigured are: {', '.join(self.providers)}."
            )
        if slash:
            return (
                f"no provider is called {printable(first)}. If {shown} is the model's whole\n"
                "name, put its provider before it, or name one as provider under [defaults]\n"
                f"in {self.user_file}. Configured are:\n{', '.join(self.providers)}."
            )
        family = "anthropic" if model.startswith("claude") else "openai"
        return f"which provider serves {shown}? Write it as {family}/{shown}."
