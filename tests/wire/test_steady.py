"""The head of a request that an SDK writes once: the same for all that differ in their bodies."""

from typing import Any

import anyio
import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from runner.models import Api
from runner.providers import steady, thin
from runner.providers.base import Provider
from tests.providers.asking import APIS, KEY, QUESTION, provider_at
from tests.providers.bodies import WHOLE
from tests.providers.raw_server import RawServer, Received, answer, raw_server

pytestmark = pytest.mark.anyio

GOOD = answer(WHOLE["openai"])


async def ask(provider: Provider, number: int, timeout_s: float = 5.0) -> None:
    """Ask a question that is known by its number."""
    body = provider.body("m", QUESTION, stream=False)
    await provider.complete({**body, "n": number}, timeout_s=timeout_s)


def numbers(server: RawServer) -> list[int]:
    """Give the numbers that have come."""
    return [one.json["n"] for one in server.requests]


def without_length(request: Received) -> dict[str, str]:
    """Give the headers that do not differ from body to body."""
    return {name: text for name, text in request.headers.items() if name != "content-length"}


@pytest.mark.parametrize("api", APIS)
async def test_a_head_is_written_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of requests that differ in their bodies alone an SDK writes the first, runner the rest."""
    written: list[Any] = []
    write = thin.ThinClient.build_request

    def counted(client: thin.ThinClient, method: str, url: Any, **parts: Any) -> Any:
        written.append(url)
        return write(client, method, url, **parts)

    monkeypatch.setattr(thin.ThinClient, "build_request", counted)
    async with (
        raw_server(answer(WHOLE[api])) as server,
        provider_at(server.url, api, http="aiohttp") as provider,
    ):
        for number in range(5):
            await ask(provider, number)
    assert len(written) == 1
    assert numbers(server) == [*range(5)]
    assert len({tuple(sorted(without_length(one).items())) for one in server.requests}) == 1


async def test_a_fixed_key_is_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    """What OpenAI's SDK does around a request whose key may change is left out."""

    async def asked(*_: Any, **__: Any) -> None:
        raise AssertionError("the SDK asks whether its key is still good")

    assert hasattr(AsyncOpenAI, "_send_with_auth_retry")
    monkeypatch.setattr(AsyncOpenAI, "_send_with_auth_retry", asked)
    async with raw_server(GOOD) as server, provider_at(server.url, http="aiohttp") as provider:
        await ask(provider, 0)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_what_is_overridden_is_there() -> None:
    """An SDK that has renamed it would send as before, and nobody would notice the cost."""
    ours = [name for name in vars(steady.SteadyClient) if name[0] == "_" != name[1]]
    for sdk_client, missing in ((AsyncOpenAI, set()), (AsyncAnthropic, {"_send_request"})):
        assert {name for name in ours if not hasattr(sdk_client, name)} == {"_written", *missing}


async def test_kinds_of_requests_are_not_mixed_up() -> None:
    """Different deadlines and many of them change nothing about what is sent."""
    many = steady._KINDS_KEPT + 3
    async with raw_server(GOOD) as server, provider_at(server.url, http="aiohttp") as provider:
        for number in range(many):
            await ask(provider, number, timeout_s=5.0 + number)
    assert numbers(server) == [*range(many)]
    assert {one.headers["authorization"] for one in server.requests} == {f"Bearer {KEY}"}
    told = [float(one.headers["x-stainless-read-timeout"]) for one in server.requests]
    assert told == [5.0 + number for number in range(many)]


@pytest.mark.parametrize("api", APIS)
async def test_those_that_go_first_together_go_as_they_are(api: Api) -> None:
    """Before any head is known, at two servers at once: each body comes once, where it belongs."""
    good = answer(WHOLE[api])
    async with (
        raw_server(good) as one,
        raw_server(good) as other,
        provider_at(one.url, api, http="aiohttp") as first,
        provider_at(other.url, api, http="aiohttp") as second,
        anyio.create_task_group() as group,
    ):
        for number in range(20):
            group.start_soon(ask, first, number)
            group.start_soon(ask, second, 100 + number)
    assert sorted(numbers(one)) == [*range(20)]
    assert sorted(numbers(other)) == [*range(100, 120)]
