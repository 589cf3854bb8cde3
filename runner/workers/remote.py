"""Providers whose requests worker processes send. The engine sees no difference."""

import math
from collections.abc import AsyncGenerator, Mapping
from types import TracebackType
from typing import Any, Self

import anyio

from runner.config import Config, ProviderConfig
from runner.models import Api, Completion, Request
from runner.providers.base import Assembly, Delta, Provider
from runner.providers.exchange import HttpProvider
from runner.providers.once import OpenOnce
from runner.providers.opening import adapter
from runner.providers.places import Places
from runner.providers.transport import Reply
from runner.workers.crew import Crew
from runner.workers.member import Told
from runner.workers.messages import Done, completion_of, error_of


class RemoteProviders:
    """What `Providers` is where one process does it all."""

    def __init__(
        self, config: Config, *, processes: int, concurrency: int, environ: Mapping[str, str]
    ) -> None:
        """`concurrency`: most requests in flight, over all processes."""
        self._places = Places(config, environ)
        self._crew = Crew(processes, concurrency)
        self._open = OpenOnce(self._places, self._opened)

    async def __aenter__(self) -> Self:
        await self._crew.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        async with self._places:
            await self._crew.__aexit__(kind, error, trace)

    async def get(self, provider: str, model: str) -> Provider:
        """Have a provider opened; see `Opener.get`."""
        return await self._open.get(provider, model)

    async def _opened(self, config: ProviderConfig, model: str) -> "RemoteProvider":
        place = await self._places.find(config, model)
        number = await self._crew.open(config, place)
        return RemoteProvider(adapter(config, place, _Elsewhere()), number, self._crew)


class RemoteProvider:
    """A provider by its number in the workers. What needs no network is done here."""

    def __init__(self, here: HttpProvider, number: int, crew: Crew) -> None:
        self.name: str = here.name
        self.api: Api = here.api
        self._here = here
        self._number = number
        self._crew = crew

    def body(self, model: str, request: Request, *, stream: bool) -> dict[str, Any]:
        return self._here.body(model, request, stream=stream)

    def must_stream(self, body: Mapping[str, Any]) -> bool:
        return self._here.must_stream(body)

    def assembly(self) -> "RemoteAssembly":
        return RemoteAssembly()

    async def complete(
        self, body: Mapping[str, Any], *, timeout_s: float, within_s: float = math.inf
    ) -> Completion:
        content = self._here.written(body)
        return _completion(await self._crew.ask(self._number, content, timeout_s, within_s))

    async def stream(
        self, body: Mapping[str, Any], assembly: Assembly, *, timeout_s: float, idle_s: float
    ) -> AsyncGenerator[Delta, None]:
        """Ask and wait, as `Provider.stream`; the text comes at the end, in the assembly."""
        if not isinstance(assembly, RemoteAssembly):
            raise TypeError("a stream fills an assembly of its own provider")
        content = self._here.written(body)
        watched = await self._crew.watch(self._number, content, timeout_s, idle_s)
        try:
            if await watched.began():
                yield Delta("")
            assembly.come = _completion(await watched.told())
        except (GeneratorExit, anyio.get_cancelled_exc_class()):
            told = await watched.cut()
            if told is not None and told.answer is not None:
                assembly.come = completion_of(told.answer)
            raise

    async def aclose(self) -> None:
        """Leave it open: it ends with the workers."""


class RemoteAssembly:
    """What a worker has told of a streamed answer."""

    def __init__(self) -> None:
        self.come = Completion()

    def completion(self) -> Completion:
        return self.come


class _Elsewhere:
    """Stands where a transport would be."""

    async def send(self, path: str, content: bytes, *, timeout_s: float) -> Reply:
        raise NotImplementedError("requests are sent by a worker")

    async def aclose(self) -> None:
        """Hold nothing open."""


def _completion(told: Told) -> Completion:
    if isinstance(told, Done):
        return completion_of(told.answer)
    raise error_of(told)
