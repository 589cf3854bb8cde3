"""Connections that fail, redirects, keys and proxies, over real sockets."""

import asyncio
import gzip
import json
import socket
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import pytest

from runner.models import Api, Request
from runner.providers.transport import Http
from tests.providers.asking import (
    APIS,
    CUTS,
    HTTPS,
    KEY,
    QUESTION,
    complete,
    failure,
    provider_at,
    written,
)
from tests.providers.bodies import CHAT, STREAMED, WHOLE
from tests.providers.raw_server import Reply, answer, raw_server, stream

pytestmark = pytest.mark.anyio

PATHS = {"openai": "/chat/completions", "anthropic": "/v1/messages"}


@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("api", ["openai", "anthropic"])
@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_no_answer_at_all(api: Api, http: Http, ending: Any) -> None:
    """A connection that closes before the first byte is a connection error, never a timeout."""
    async with (
        raw_server(Reply((), ending)) as server,
        provider_at(server.url, api, http) as provider,
    ):
        error = await failure(provider)
    assert (error.kind, error.retryable, error.interruption) == ("connection", True, None)
    assert f"127.0.0.1:{server.port}" in error.message


@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("api", ["openai", "anthropic"])
@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_body_cut_in_the_middle(api: Api, http: Http, ending: Any) -> None:
    """A body shorter than announced was interrupted and is worth another try."""
    reply = answer(b'{"id":', length=500, ending=ending)
    async with raw_server(reply) as server, provider_at(server.url, api, http) as provider:
        error = await failure(provider)
    assert (error.kind, error.retryable, error.interruption) == ("connection", True, "connection")
    assert error.message.endswith("was closed in the middle of the answer")


@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("api", ["openai", "anthropic"])
async def test_refused_port_is_named(api: Api, http: Http) -> None:
    """Where nobody listens, the message says where and why."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        async with provider_at(f"http://127.0.0.1:{port}", api, http) as provider:
            error = await failure(provider)
    assert (error.kind, error.retryable) == ("connection", True)
    assert error.message == f"could not connect to 127.0.0.1:{port}: connection refused"


@pytest.mark.parametrize("http", HTTPS)
async def test_unknown_host_is_named(http: Http) -> None:
    """A host that no name server knows is said by name."""
    async with provider_at("http://nowhere.invalid:81/v1", "openai", http) as provider:
        error = await failure(provider)
    assert (error.kind, error.retryable) == ("connection", True)
    assert error.message == "could not connect to nowhere.invalid:81: the host name is not known"


@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("api", ["openai", "anthropic"])
async def test_silence_is_a_timeout(api: Api, http: Http) -> None:
    """A server that says nothing runs into the timeout of the socket."""
    async with (
        raw_server(Reply((), "hold")) as server,
        provider_at(server.url, api, http) as provider,
    ):
        body = provider.body("m", Request(messages=[]), stream=False)
        with pytest.raises(Exception) as caught:  # noqa: PT011 - its kind is looked at below
            await provider.complete(body, timeout_s=0.2)
        await server.gone.wait()
    assert getattr(caught.value, "kind", None) == "timeout"
    assert getattr(caught.value, "retryable", None) is True


@pytest.mark.parametrize("http", HTTPS)
async def test_gzip_is_read(http: Http) -> None:
    """A compressed body is read as if it were plain."""
    reply = answer(gzip.compress(json.dumps(CHAT).encode()), headers={"content-encoding": "gzip"})
    async with raw_server(reply) as server, provider_at(server.url, "openai", http) as provider:
        assert (await complete(provider)).text == "Hi"


@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("api", ["openai", "anthropic"])
async def test_corrupt_gzip_is_permanent(api: Api, http: Http) -> None:
    """Damaged compression is named and not asked again."""
    reply = answer(b"not gzip at all", headers={"content-encoding": "gzip"})
    async with raw_server(reply) as server, provider_at(server.url, api, http) as provider:
        error = await failure(provider)
    assert (error.kind, error.retryable) == ("bad_response", False)
    assert "compressed" in error.message


async def test_headers_too_long_for_aiohttp() -> None:
    """Response headers beyond aiohttp's bound are one named error, not a stray exception."""
    reply = answer(CHAT, headers={"x-long": "a" * 20_000})
    async with raw_server(reply) as server, provider_at(server.url, http="aiohttp") as provider:
        error = await failure(provider)
    assert (error.kind, error.retryable) == ("bad_response", False)
    assert "headers that are too long" in error.message


@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("api", ["openai", "anthropic"])
async def test_nonsense_in_place_of_http(api: Api, http: Http) -> None:
    """What is not HTTP fails as such, whatever library notices."""
    async with (
        raw_server(Reply((b"SSH-2.0-OpenSSH_9\r\n\r\n",))) as server,
        provider_at(server.url, api, http) as provider,
    ):
        error = await failure(provider)
    assert error.kind in ("connection", "bad_response")
    assert error.retryable


@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("api", ["openai", "anthropic"])
async def test_https_to_a_plain_server(api: Api, http: Http) -> None:
    """A server without TLS under an https address is said to be just that."""

    async def speak_plainly(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(speak_plainly, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, provider_at(f"https://127.0.0.1:{port}", api, http) as provider:
        error = await failure(provider)
    assert error.kind == "connection"
    assert error.message.startswith(f"could not connect to 127.0.0.1:{port}: ")
    assert "wrong version number" in error.message or "record layer" in error.message


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("api", ["openai", "anthropic"])
async def test_redirect_elsewhere_is_refused(api: Api, status: int) -> None:
    """A redirect to another origin is not followed: the prompt stays here."""
    async with raw_server(answer(CHAT)) as other:
        target = f"{other.url}/chat/completions"
        reply = answer(b"", status=status, headers={"location": target})
        async with raw_server(reply) as server, provider_at(server.url, api) as provider:
            error = await failure(provider)
    assert (error.kind, error.retryable) == ("invalid_request", False)
    assert "wrong base URL?" in error.message
    assert target in error.message
    assert other.requests == []


@pytest.mark.parametrize(("status", "followed"), [(307, True), (308, True), (301, False)])
@pytest.mark.parametrize("api", ["openai", "anthropic"])
async def test_redirect_at_home(api: Api, status: int, followed: bool) -> None:
    """A redirect that keeps method and origin is followed, the body sent again."""
    moved = answer(b"", status=status, headers={"location": "/new/place"})
    async with (
        raw_server(moved, answer(WHOLE[api])) as server,
        provider_at(server.url, api) as provider,
    ):
        if followed:
            assert (await complete(provider)).text == "Hi"
        else:
            assert (await failure(provider)).kind == "invalid_request"
    assert [request.target for request in server.requests] == [
        PATHS[api],
        *(["/new/place"] if followed else []),
    ]
    assert server.requests[0].body == server.requests[-1].body


async def test_redirects_in_circles_end() -> None:
    """Redirects that never arrive are an error after a few."""
    ways = [answer(b"", status=307, headers={"location": f"/{n}"}) for n in range(9)]
    async with raw_server(*ways) as server, provider_at(server.url) as provider:
        error = await failure(provider)
    assert error.kind == "invalid_request"
    assert len(server.requests) == 4


@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("api", ["openai", "anthropic"])
async def test_key_is_scrubbed(api: Api, http: Http) -> None:
    """A server that repeats the key does not get it into an error or an answer."""
    body = {"error": {"message": f"bad key {KEY}", "code": KEY}}
    told = {**WHOLE[api], "echo": KEY}
    replies = answer(body, status=400), answer(told)
    async with raw_server(*replies) as server, provider_at(server.url, api, http) as provider:
        error = await failure(provider)
        completion = await complete(provider)
    assert error.message == "bad key ***"
    assert error.code == "***"
    assert completion.response is not None
    assert KEY.encode() not in bytes(completion.response)


@pytest.mark.parametrize("http", HTTPS)
async def test_cancelling_closes_the_connection(http: Http) -> None:
    """A cancelled call lets the server go at once."""
    async with (
        raw_server(Reply((), "hold")) as server,
        provider_at(server.url, "openai", http) as provider,
    ):
        with anyio.move_on_after(0.3):
            await complete(provider)
        with anyio.fail_after(2):
            await server.gone.wait()


@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("api", ["openai", "anthropic"])
async def test_loopback_needs_no_proxy(
    api: Api, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy in the environment does not stand before this machine's own servers."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with (
        raw_server(answer(WHOLE[api])) as server,
        provider_at(server.url, api, http) as provider,
    ):
        assert (await complete(provider)).text == "Hi"


async def test_what_cannot_be_written_is_not_sent() -> None:
    """A request that has no JSON is refused here, for good."""
    async with raw_server(answer(CHAT)) as server, provider_at(server.url) as provider:
        lone = Request(messages=[{"role": "user", "content": "\ud83d"}])
        error = await failure(provider, lone)
    assert (error.kind, error.retryable) == ("invalid_request", False)
    assert server.requests == []


async def test_nothing_is_sent_by_the_sdk_on_its_own(tmp_path: Path) -> None:
    """A rate refusal with a short wait is handed up at once, not retried below."""
    reply = answer({"error": {"message": "slow"}}, status=429, headers={"retry-after-ms": "5"})
    async with raw_server(reply) as server, provider_at(server.url) as provider:
        error = await failure(provider)
    assert error.retry_after_s == 0.005
    assert len(server.requests) == 1


@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("how", ["cancel", "close"])
async def test_leaving_closes_the_connection(api: Api, http: Http, how: str) -> None:
    """Cancelling or closing the iterator lets the server go; the text so far remains."""
    reply = stream(written(api, STREAMED[api][: CUTS[api]]), terminated=False, ending="hold")
    async with raw_server(reply) as server, provider_at(server.url, api, http) as provider:
        assembly = provider.assembly()
        body = provider.body("m", QUESTION, stream=True)
        with anyio.CancelScope() as scope:
            async with aclosing(provider.stream(body, assembly, timeout_s=5, idle_s=5)) as deltas:
                async for delta in deltas:
                    if delta.text.endswith("i"):
                        if how == "close":
                            break
                        scope.cancel()
        with anyio.fail_after(2):
            await server.gone.wait()
    assert assembly.completion().text == "Hi"
    assert assembly.completion().finish_reason is None
