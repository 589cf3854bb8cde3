"""Where each provider of a run is reached: its endpoint, or that of the simulator it starts."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import anyio

from runner.config import Config, ProviderConfig
from runner.errors import UsageError
from runner.models import Api
from runner.providers.endpoints import SIMULATOR_KEY, Endpoint, endpoint
from runner.providers.sim import Addresses, SimulatorChild


class Places:
    """The endpoints of one run; leaving the context ends the simulators."""

    def __init__(self, config: Config, environ: Mapping[str, str]) -> None:
        self._config = config
        self._environ = dict(environ)
        self._children: dict[str, SimulatorChild] = {}
        self._addresses: dict[str, Addresses] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as group:
                for child in self._children.values():
                    group.start_soon(child.aclose)

    def config(self, provider: str) -> ProviderConfig:
        """Give a provider's configuration. Raises UsageError for an unknown one."""
        try:
            return self._config.providers[provider]
        except KeyError:
            raise UsageError(f"no provider is called {provider}.") from None

    def begin(self, config: ProviderConfig, model: str) -> Endpoint:
        """Give where a model is reached, so far as an HTTP client has to know.

        A simulator is started, and its port not waited for: `find` does. Raises UsageError for a
        missing key or a bad address.
        """
        if not config.simulated:
            return endpoint(config, self._environ)
        if model not in self._children:
            self._children[model] = SimulatorChild(model)
        return Endpoint(api=config.api, base_url="http://127.0.0.1", key=SIMULATOR_KEY)

    async def find(self, config: ProviderConfig, model: str) -> Endpoint:
        """Give where a model is reached. Raises UsageError, also for a bad scenario."""
        begun = self.begin(config, model)
        return await self._simulated(config.api, model) if config.simulated else begun

    async def _simulated(self, api: Api, scenario: str) -> Endpoint:
        if scenario not in self._addresses:
            try:
                self._addresses[scenario] = await self._children[scenario].ready()
            except UsageError:
                del self._children[scenario]
                raise
        found = self._addresses[scenario]
        url = found.anthropic_base_url if api == "anthropic" else found.openai_base_url
        return Endpoint(api=api, base_url=url, key=SIMULATOR_KEY)
