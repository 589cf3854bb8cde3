"""Which providers have refused the account, so that nothing new goes to them."""

from runner.errors import ProviderError

NO_ADMISSION_S = 900.0
"""A provider that refuses every request for rate so long is taken to refuse the account."""


class Halts:
    """Keeps the halted providers, and since when each one has admitted nothing."""

    def __init__(self) -> None:
        self._errors: dict[str, ProviderError] = {}
        self._refusing_since: dict[str, float] = {}

    def halted(self, provider: str) -> bool:
        """Whether nothing new may be sent there."""
        return provider in self._errors

    def halt(self, provider: str, error: ProviderError) -> bool:
        """Halt a provider. True if it was not halted before."""
        first = provider not in self._errors
        self._errors.setdefault(provider, error)
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
        """How many providers are halted."""
        return len(self._errors)
