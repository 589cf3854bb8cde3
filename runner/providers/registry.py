"""Providers by name, opened when first asked for."""

from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from runner.config import Config, ProviderConfig
from runner.providers.base import Provider
from runner.providers.exchange import HttpProvider
from runner.providers.once import OpenOnce
from runner.providers.opening import adapter, close_all, open_client
from runner.providers.places import Places
from runner.providers.transport import Http, connect


class Opener(Protocol):
    """Who gives providers by name: this process, or its workers."""

    async def get(self, provider: str, model: str) -> Provider:
        """Open a provider, or return the one that is open already.

        Raises UsageError for a missing key, a bad address, or a scenario that does not work.
        """


class Providers:
    """The providers of one run; leaving the context closes connections and ends simulators."""

    def __init__(
        self, config: Config, *, concurrency: int, http: Http, environ: Mapping[str, str]
    ) -> None:
        """`concurrency` bounds the connections of each provider; `http` names the library."""
        self._places = Places(config, environ)
        self._concurrency = concurrency
        self._http: Http = http
        self._open = OpenOnce(self._places, self._opened)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        async with self._places:
            await close_all(self._open.all)

    async def get(self, provider: str, model: str) -> Provider:
        """Open a provider; see `Opener.get`."""
        return await self._open.get(provider, model)

    async def _opened(self, config: ProviderConfig, model: str) -> HttpProvider:
        # A simulator boots while the SDK is imported.
        place = self._places.begin(config, model)
        client = await open_client(place, concurrency=self._concurrency, http=self._http)
        place = await self._places.find(config, model)
        return adapter(config, place, connect(place, client))
