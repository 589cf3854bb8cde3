"""Which providers and defaults are in force, and where each value came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from runner.models import Api


class ModelRef(NamedTuple):
    """A model and the provider that serves it."""

    provider: str
    model: str


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
    simulated: bool = False
    """True for `sim` and its sisters: the simulator is started with the model as its scenario."""
    source: str = "built in"
    """Where this provider came from: `built in` or a file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """The configuration in force."""

    providers: Mapping[str, ProviderConfig]
    default_provider: str | None = None
    default_model: str | None = None
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Per command, option values from its table (`[batch]`, `[tail]`)."""
    sources: tuple[str, ...] = ()
    """The files that were read, the strongest first."""

    def resolve(self, model: str) -> ModelRef:
        """Split `provider/model`.

        Only a first segment that names a provider counts as one, so `meta-llama/Llama-3` stays
        whole under a default provider. Raises UsageError for a bare name without one.
        """
        raise NotImplementedError
