"""What is opened for a provider when it is first asked for, and once: see who takes it."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

import anyio

from runner.config import ProviderConfig
from runner.providers.places import Places

_Opened = TypeVar("_Opened")


class OpenOnce(Generic[_Opened]):
    """One a provider; of the simulator one a scenario, for each is a server of its own."""

    def __init__(
        self, places: Places, opened: Callable[[ProviderConfig, str], Awaitable[_Opened]]
    ) -> None:
        """`opened` opens one, of a provider's configuration and a model."""
        self._places = places
        self._opened = opened
        self._open: dict[tuple[str, str], _Opened] = {}
        self._opening = anyio.Lock()

    async def get(self, provider: str, model: str) -> _Opened:
        """Open one, or return the one that is open already. Raises what opening raises."""
        config = self._places.config(provider)
        key = (provider, model if config.simulated else "")
        if key not in self._open:
            async with self._opening:
                if key not in self._open:
                    self._open[key] = await self._opened(config, model)
        return self._open[key]

    @property
    def all(self) -> Iterable[_Opened]:
        """Give those that are open."""
        return self._open.values()
