"""Ask one provider at one address, streamed or not, as the engine would."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio

from runner.config import Config, ProviderConfig
from runner.errors import ProviderError
from runner.models import Api, Completion, Request, Usage
from runner.providers.base import Provider
from runner.providers.registry import Providers
from runner.providers.transport import Http
from tests.providers.bodies import CHAT_EVENTS
from tests.providers.raw_server import Reply, data, named, raw_server

KEY = "sk-test-0123456789abcdef"
QUESTION = Request(messages=[{"role": "user", "content": "Hi?"}], max_tokens=20)
APIS: tuple[Api, ...] = ("openai", "openai-responses", "anthropic")
HTTPS: tuple[Http, ...] = ("aiohttp", "httpx2")


@asynccontextmanager
async def provider_at(
    url: str, api: Api = "openai", http: Http = "httpx2", **settings: Any
) -> AsyncIterator[Provider]:
    """Open a configured provider called `test`."""
    config = ProviderConfig(name="test", api=api, base_url=url, api_key_env="TEST_KEY", **settings)
    environ = {"TEST_KEY": KEY}
    async with Providers(
        Config(providers={"test": config}), concurrency=4, http=http, environ=environ
    ) as providers:
        yield await providers.get("test", "m")


async def complete(provider: Provider, request: Request = QUESTION) -> Completion:
    """Ask without streaming."""
    return await provider.complete(provider.body("m", request, stream=False), timeout_s=5)


@dataclass
class Watched:
    """A stream as it was seen: what was shown, what was put together, how it failed."""

    texts: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    completion: Completion = field(default_factory=Completion)
    error: ProviderError | None = None

    @property
    def text(self) -> str:
        """All that was shown."""
        return "".join(self.texts)


async def watch(
    provider: Provider, request: Request = QUESTION, *, timeout_s: float = 5, idle_s: float = 5
) -> Watched:
    """Ask for a stream and follow it to its end."""
    seen = Watched()
    assembly = provider.assembly()
    body = provider.body("m", request, stream=True)
    try:
        events = provider.stream(body, assembly, timeout_s=timeout_s, idle_s=idle_s)
        async with aclosing(events) as deltas:
            async for delta in deltas:
                (seen.texts if delta.kind == "text" else seen.reasoning).append(delta.text)
    except ProviderError as error:
        seen.error = error
    seen.completion = assembly.completion()
    return seen


async def failure(provider: Provider, request: Request = QUESTION) -> ProviderError:
    """Ask without streaming and return the error that comes."""
    try:
        await complete(provider, request)
    except ProviderError as error:
        return error
    raise AssertionError("the provider answered")


USAGE = Usage(input_tokens=9, output_tokens=2, total_tokens=11)
CUTS = {"openai": 3, "openai-responses": 4, "anthropic": 5}
"""How many events of the usual stream come before it is cut; both letters have come by then."""


def written(api: Api, events: list[dict[str, Any]]) -> bytes:
    """Write events as this API does, with [DONE] where it belongs and the answer is whole."""
    if api != "openai":
        return named(*events)
    return data(*events, *(["[DONE]"] if events == CHAT_EVENTS else []))


async def seen(reply: Reply, api: Api = "openai", http: Http = "httpx2") -> Watched:
    """Watch one scripted stream."""
    async with raw_server(reply) as server, provider_at(server.url, api, http) as provider:
        with anyio.fail_after(10):
            return await watch(provider)
