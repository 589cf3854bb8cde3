"""Batch services by provider, opened when first asked for."""

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from runner.config import Config, ProviderConfig
from runner.providers.batches.base import BatchService
from runner.providers.exchange import HttpProvider
from runner.providers.once import OpenOnce
from runner.providers.opening import adapter, close_all, open_client
from runner.providers.places import Places
from runner.providers.transport import SdkTransport, sdk_client

if TYPE_CHECKING:
    from runner.providers.endpoints import Endpoint

_AT_ONCE = 16


class BatchServices:
    """The services of one run; leaving the context closes connections and ends simulators."""

    def __init__(self, config: Config, environ: Mapping[str, str]) -> None:
        self._places = Places(config, environ)
        self._open = OpenOnce(self._places, self._opened)
        self._adapters: list[HttpProvider] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        async with self._places:
            await close_all(self._adapters)

    async def get(self, provider: str, model: str) -> BatchService:
        """Open a service, or return the one that is open already.

        Raises UsageError for a missing key, a bad address, or a scenario that does not work.
        """
        return await self._open.get(provider, model)

    async def _opened(self, config: ProviderConfig, model: str) -> BatchService:
        place = self._places.begin(config, model)
        http = await open_client(place, concurrency=_AT_ONCE, http="httpx2")
        place = await self._places.find(config, model)
        client: Any = sdk_client(place, http)
        reader = adapter(config, place, SdkTransport(client))
        self._adapters.append(reader)
        return _service(reader, client, place)


def _service(reader: HttpProvider, client: Any, place: "Endpoint") -> BatchService:
    if place.api == "anthropic":
        from runner.providers.batches.anthropic_batches import AnthropicBatches

        return AnthropicBatches(reader, client, place)
    from runner.providers.batches.openai_batches import OpenAIBatches

    return OpenAIBatches(reader, client)
