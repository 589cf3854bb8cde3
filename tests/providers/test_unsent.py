"""Which failures certainly cost nothing because no request left this machine."""

import socket

import httpx2
import pytest

from runner.models import Api
from runner.providers.failures import Failures
from runner.providers.transport import Http
from tests.providers.asking import HTTPS, failure, provider_at
from tests.providers.raw_server import Reply, answer, raw_server

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("api", ["openai", "anthropic"])
async def test_without_a_connection_nothing_is_sent(api: Api, http: Http) -> None:
    """Where nobody listens, nothing can be charged."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        async with provider_at(f"http://127.0.0.1:{port}", api, http) as provider:
            assert (await failure(provider)).unsent


@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize(
    "reply",
    [
        Reply((), "close"),
        Reply((), "reset"),
        answer(b'{"id":', length=500, ending="reset"),
        answer(b'{"error":{"message":"no"}}', status=500),
    ],
)
async def test_what_reached_a_server_was_sent(http: Http, reply: Reply) -> None:
    """A connection that breaks later may have broken over an answer."""
    async with raw_server(reply) as server, provider_at(server.url, "openai", http) as provider:
        assert not (await failure(provider)).unsent


@pytest.mark.parametrize(
    ("error", "unsent"),
    [
        (httpx2.ConnectTimeout("slow"), True),
        (httpx2.ReadTimeout("slow"), False),
        (httpx2.ConnectError("no"), True),
        (httpx2.ReadError("no"), False),
    ],
)
def test_only_connecting_is_certain(error: Exception, unsent: bool) -> None:
    """Time-outs and errors after the connection stood may cost something."""
    failures = Failures("h:1")
    assert failures.of_transport(error).unsent == unsent
    assert not failures.of_transport(error, began=True).unsent
