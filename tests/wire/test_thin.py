"""The short way to aiohttp against the SDK's own: the same requests, answers and failures.

What both do is what runner did before there was a short way.
"""

import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest

from runner.models import Api
from runner.providers import thin, transport
from tests.providers.asking import APIS, QUESTION, complete, failure, provider_at
from tests.providers.bodies import WHOLE
from tests.providers.raw_server import Received, Reply, answer, raw_server
from tests.wire.tls import HOST, certificate, known_here, proxy, tls_server
from tests.workers.asking import by_itself, config_of, outcome
from tests.workers.test_same_outcomes import Case, cases, unported

pytestmark = pytest.mark.anyio

Way = Literal["short", "long"]
WAYS: tuple[Way, ...] = ("short", "long")
GOOD = answer(WHOLE["openai"])
ENVIRONMENT = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE")
OF_AIOHTTP = pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")
"""The SDK's own way gives a proxy's password so."""


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Way:
    """Go one of the two ways, in an environment that says nothing of proxies."""
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    chosen: Way = request.param
    if chosen == "long":
        monkeypatch.setattr(thin, "thin", lambda sdk_client: sdk_client)
    return chosen


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody trusts unless told to."""
    if shutil.which("openssl") is None:
        pytest.skip("makes a certificate with openssl")
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have names for this machine that are not taken for loopback."""
    known_here(monkeypatch)


async def played(api: Api, table: list[Case]) -> tuple[list[dict[str, Any]], list[Received]]:
    """Play all cases; give the outcomes, and what the server received."""
    told = []
    replies = [case.reply for case in table]
    async with raw_server(*replies) as server, by_itself(config_of({api: server.url})) as opener:
        for case in table:
            limit = 0.2 if "silence" in case.name else 5.0
            one = await outcome(opener, api, streamed=case.streamed, timeout_s=limit)
            told.append({"case": case.name, **unported(one, server.url)})
    return told, server.requests


@pytest.mark.parametrize("api", APIS)
async def test_both_ways_say_the_same(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over all that a wire and a server can do, and the server sees the same requests."""
    table = cases(api)
    short, sent_shortly = await played(api, table)
    monkeypatch.setattr(thin, "thin", lambda sdk_client: sdk_client)
    long, sent = await played(api, table)
    for one, other in zip(short, long, strict=True):
        assert one == other
    for one_request, other_request in zip(sent_shortly, sent, strict=True):
        assert one_request.target == other_request.target
        assert one_request.body == other_request.body
        assert without_host(one_request) == without_host(other_request)


def without_host(request: Received) -> dict[str, str]:
    """Give the headers that do not differ from server to server."""
    return {name: text for name, text in request.headers.items() if name != "host"}


async def test_a_connection_that_the_server_closed_is_not_asked(way: Way) -> None:
    """One that has ended meanwhile costs no attempt; one that breaks just then is told as lost."""
    # The request may have been read by then, so asking again is for the engine to decide.
    closing = answer(WHOLE["openai"], ending="close")
    async with (
        raw_server(closing, GOOD, GOOD, Reply((), "close"), GOOD) as server,
        provider_at(server.url, http="aiohttp") as provider,
    ):
        for _ in range(3):
            assert (await complete(provider)).text == "Hi"
            await anyio.sleep(0.02)  # the end of the connection is on its way
        assert server.connections == 2
        error = await failure(provider)
        assert (await complete(provider)).text == "Hi"
    assert (error.kind, error.retryable, error.unsent) == ("connection", True, False)
    assert len(server.requests) == 5


async def test_a_kept_connection_may_rest(way: Way) -> None:
    """Deadlines of one request are not those of the next on the same connection."""
    slow = Reply((*GOOD.parts,), "keep", pause_s=0.3)
    async with (
        raw_server(GOOD, slow, GOOD) as server,
        provider_at(server.url, http="aiohttp") as provider,
    ):
        body = provider.body("m", QUESTION, stream=False)
        for timeout_s in (0.2, 5.0, 0.2):
            assert (await provider.complete(body, timeout_s=timeout_s)).text == "Hi"
            await anyio.sleep(0.3)
    assert server.connections == 1


@pytest.mark.parametrize("streamed", [False, True])
async def test_no_connection_in_time(
    way: Way, streamed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that takes no connection is a timeout of its own, and nothing was sent."""
    monkeypatch.setattr(transport, "CONNECT_TIMEOUT_S", 0.3)
    transport._timeout.cache_clear()
    with full_backlog() as port:
        async with by_itself(config_of({"openai": f"http://127.0.0.1:{port}"})) as opener:
            told = await outcome(opener, "openai", streamed=streamed, timeout_s=5.0)
    transport._timeout.cache_clear()
    assert (told["kind"], told["retryable"], told["unsent"]) == ("timeout", True, True)
    assert told["message"] == f"no connection to 127.0.0.1:{port} in time"


@contextmanager
def full_backlog() -> Iterator[int]:
    """Listen and take no connection: once a few wait, the next is not even answered."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield server.getsockname()[1]


async def test_a_certificate_is_trusted_where_the_environment_says_so(
    way: Way, pem: Path, names: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE adds an authority; without it the server is refused, for good, by its name."""
    async with tls_server(pem, GOOD) as server:
        url = f"https://{HOST}:{server.port}/v1"
        async with provider_at(url, http="aiohttp") as provider:
            error = await failure(provider)
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        async with provider_at(url, http="aiohttp") as provider:
            assert (await complete(provider)).text == "Hi"
            assert (await complete(provider)).text == "Hi"
        assert server.connections == 1  # the one that was refused never came about
    assert (error.kind, error.retryable, error.unsent) == ("connection", False, True)
    assert "self-signed certificate" in error.message
    assert [one.headers["host"] for one in server.requests] == [f"{HOST}:{server.port}"] * 2


async def test_a_name_that_is_not_in_the_certificate_is_refused(
    way: Way, pem: Path, names: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trusted certificate of somebody else opens nothing."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    async with (
        tls_server(pem, GOOD) as server,
        provider_at(f"https://other.test:{server.port}", http="aiohttp") as provider,
    ):
        error = await failure(provider)
    assert (error.kind, error.retryable) == ("connection", False)
    assert server.requests == []


@OF_AIOHTTP
@pytest.mark.parametrize("spared", [None, HOST, ".test", "*"])
async def test_a_proxy_of_the_environment_is_asked(
    way: Way, pem: Path, names: None, spared: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTPS_PROXY is asked to connect, with its password, and NO_PROXY spares hosts from that."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    async with tls_server(pem, GOOD) as server, proxy(server.port) as between:
        monkeypatch.setenv("HTTPS_PROXY", f"http://ann:secret@127.0.0.1:{between.port}")
        if spared is not None:
            monkeypatch.setenv("NO_PROXY", spared)
        async with provider_at(f"https://{HOST}:{server.port}", http="aiohttp") as provider:
            assert (await complete(provider)).text == "Hi"
    assert len(server.requests) == 1
    if spared is not None:
        assert between.heads == []
        return
    (head,) = between.heads
    assert head.startswith(b"CONNECT %s:%d HTTP/1.1\r\n" % (HOST.encode(), server.port))
    assert b"proxy-authorization: basic yw5uonnly3jlda==" in head.lower()
    assert b"sk-test" not in head


@OF_AIOHTTP
@pytest.mark.parametrize("gone", [False, True])
async def test_a_proxy_that_fails_is_named(
    way: Way, names: None, gone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that refuses, or is not there, is told as such, and its password is not."""
    async with proxy(1, b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n") as between:
        port = 9 if gone else between.port
        monkeypatch.setenv("HTTPS_PROXY", f"http://ann:secret@127.0.0.1:{port}")
        async with provider_at(f"https://{HOST}", http="aiohttp") as provider:
            error = await failure(provider)
    assert (error.kind, error.retryable) == ("connection", True)
    assert error.message.startswith(f"the proxy on the way to {HOST} failed: ")
    assert "secret" not in error.message


@pytest.mark.parametrize("status", [307, 308])
async def test_a_redirect_at_home_is_followed(way: Way, status: int) -> None:
    """The body is sent again, once, to where it belongs, on the same connection."""
    moved = answer(b"", status=status, headers={"location": "/elsewhere"})
    async with (
        raw_server(moved, GOOD) as server,
        provider_at(server.url, http="aiohttp") as provider,
    ):
        assert (await complete(provider)).text == "Hi"
    assert [one.target for one in server.requests] == ["/chat/completions", "/elsewhere"]
    assert server.requests[0].body == server.requests[1].body
    assert server.connections == 1


async def test_an_address_is_sent_as_it_is_written(way: Way) -> None:
    """Escapes in a base URL reach the server unchanged."""
    async with raw_server(GOOD) as server:
        url = f"{server.url}/a%2Fb/~c/x%20y"
        async with provider_at(url, http="aiohttp") as provider:
            await complete(provider)
    assert server.requests[0].target == "/a%2Fb/~c/x%20y/chat/completions"


async def test_no_more_connections_than_allowed(way: Way) -> None:
    """Whoever waits for a free connection has the time of the whole request for it."""
    slow = Reply((*GOOD.parts,), "keep", pause_s=0.1)
    async with (
        raw_server(slow) as server,
        provider_at(server.url, http="aiohttp") as provider,
        anyio.create_task_group() as group,
    ):
        for _ in range(12):
            group.start_soon(complete, provider)
    assert len(server.requests) == 12
    assert server.connections == 4
