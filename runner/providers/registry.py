"""Providers by name, opened when first asked for.

To add an API: one adapter file and one line in `_ADAPTERS`.
"""

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from types import TracebackType
from typing import Self

import anyio

from runner import garbage
from runner.config import Config, ProviderConfig
from runner.errors import UsageError
from runner.models import Api
from runner.providers.base import Provider
from runner.providers.endpoints import SIMULATOR_KEY, Endpoint, endpoint, missing_key
from runner.providers.exchange import HttpProvider
from runner.providers.sim import Addresses, SimulatorChild
from runner.providers.transport import Http, connect, open_http

_ADAPTERS: dict[Api, str] = {
    "openai": "runner.providers.openai_chat:OpenAIChat",
    "openai-responses": "runner.providers.openai_responses:OpenAIResponses",
    "anthropic": "runner.providers.anthropic_messages:AnthropicMessages",
}

_NOT_YET: dict[Api, Endpoint] = {
    api: Endpoint(api=api, base_url="http://127.0.0.1", key=SIMULATOR_KEY) for api in _ADAPTERS
}
"""Where a simulator will be, as far as its HTTP client has to know before it is up."""

_CLOSE_S = 1.0
"""For all connections together; one that does not close is left to the end of the process."""


class Providers:
    """The providers of one run; leaving the context closes connections and ends simulators."""

    def __init__(
        self, config: Config, *, concurrency: int, http: Http, environ: Mapping[str, str]
    ) -> None:
        """`concurrency` bounds the connections of each provider; `http` names the library."""
        self._config = config
        self._concurrency = concurrency
        self._http: Http = http
        self._environ = dict(environ)
        self._open: dict[tuple[str, str], HttpProvider] = {}
        self._children: dict[str, SimulatorChild] = {}
        self._addresses: dict[str, Addresses] = {}
        self._opening = anyio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with anyio.CancelScope(shield=True):
            with anyio.move_on_after(_CLOSE_S):
                async with anyio.create_task_group() as group:
                    for provider in self._open.values():
                        group.start_soon(provider.aclose)
            async with anyio.create_task_group() as group:
                for child in self._children.values():
                    group.start_soon(child.aclose)

    def missing_key(self, provider: str) -> str | None:
        """Name the environment variable whose key is missing; None if all is well."""
        return missing_key(self._configured(provider), self._environ)

    async def get(self, provider: str, model: str) -> Provider:
        """Open a provider, or return the one that is open already.

        Raises UsageError for a missing key, a bad address, or a scenario that does not work.
        """
        config = self._configured(provider)
        key = (provider, model if config.simulated else "")
        if key not in self._open:
            async with self._opening:
                if key not in self._open:
                    self._open[key] = await self._opened(config, model)
        return self._open[key]

    def _configured(self, provider: str) -> ProviderConfig:
        try:
            return self._config.providers[provider]
        except KeyError:
            raise UsageError(f"no provider is called {provider}.") from None

    async def _opened(self, config: ProviderConfig, model: str) -> HttpProvider:
        # A simulator boots while the SDK is imported in a thread.
        child = self._child(model) if config.simulated else None
        place = _NOT_YET[config.api] if child else endpoint(config, self._environ)
        garbage.hold_off()
        try:
            http_client = await anyio.to_thread.run_sync(
                partial(open_http, place, concurrency=self._concurrency, http=self._http),
                abandon_on_cancel=True,
            )
        finally:
            garbage.settle()
        if child is not None:
            place = await self._simulated(config.api, model, child)
        module, _, name = _ADAPTERS[config.api].partition(":")
        adapter: type[HttpProvider] = getattr(import_module(module), name)
        return adapter(config, place, connect(place, http_client))

    def _child(self, scenario: str) -> SimulatorChild:
        if scenario not in self._children:
            self._children[scenario] = SimulatorChild(scenario)
        return self._children[scenario]

    async def _simulated(self, api: Api, scenario: str, child: SimulatorChild) -> Endpoint:
        if scenario not in self._addresses:
            try:
                self._addresses[scenario] = await child.ready()
            except UsageError:
                del self._children[scenario]
                raise
        found = self._addresses[scenario]
        url = found.anthropic_base_url if api == "anthropic" else found.openai_base_url
        return Endpoint(api=api, base_url=url, key=SIMULATOR_KEY)
