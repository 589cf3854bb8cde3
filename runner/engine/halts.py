"""Which providers and models refuse everything, so that nothing new goes to them."""

from runner.errors import ProviderError

NO_ADMISSION_S = 900.0
"""A provider that refuses every request for rate so long is taken to refuse the account."""


class Halts:
    """Keeps what is halted, and since when each provider has admitted nothing."""

    def __init__(self) -> None:
        self._errors: dict[str, ProviderError] = {}
        self._models: set[tuple[str, str]] = set()
        self._refusing_since: dict[str, float] = {}

    def halted(self, provider: str, model: str) -> bool:
        """Whether nothing new may be sent there."""
        return provider in self._errors or (provider, model) in self._models

    def halt(self, provider: str, error: ProviderError) -> bool:
        """Halt a provider. True if it was not halted before."""
        first = provider not in self._errors
        self._errors.setdefault(provider, error)
        return first

    def halt_model(self, provider: str, model: str) -> bool:
        """Halt one model of a provider. True if it was not halted before."""
        first = not self.halted(provider, model)
        self._models.add((provider, model))
        return first

    def admitted(self, provider: str) -> None:
        """Note that a request was not refused for rate."""
        self._refusing_since.pop(provider, None)

    def refused(self, provider: str, now: float) -> bool:
        """Note a refusal for rate at `now` (monotonic seconds). True if it is one too many."""
        since = self._refusing_since.setdefault(provider, now)
        return now - since >= NO_ADMISSION_S

    @property
    def count(self) -> int:
        """How many providers and models are halted; it only grows."""
        return len(self._errors) + len(self._models)
