"""Answers that do not stream, over real sockets: what each failure of the wire becomes."""

import gzip
import json
import socket
from pathlib import Path
from typing import Any

import anyio
import pytest

from runner.models import Api, Request, Usage
from runner.providers.transport import Http
from tests.providers.asking import APIS, HTTPS, KEY, complete, failure, provider_at
from tests.providers.bodies import CHAT, WHOLE
from tests.providers.raw_server import Reply, answer, raw_server

pytestmark = pytest.mark.anyio

PATHS = {
    "openai": "/chat/completions",
    "openai-responses": "/responses",
    "anthropic": "/v1/messages",
}
HTML = b"<html><head><title>502 Bad Gateway</title></head><body>nginx<script>x</script></body>"


@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("api", APIS)
async def test_answer_is_read_and_kept(api: Api, http: Http) -> None:
    """Each API's answer gives text, finish, usage, model, request id and its body on one line."""
    pretty = json.dumps(WHOLE[api], indent=1).encode()
    reply = answer(pretty, headers={"x-request-id": "r1"})
    async with raw_server(reply) as server, provider_at(server.url, api, http) as provider:
        completion = await complete(provider)
    assert completion.text == "Hi"
    assert completion.finish_reason == "stop"
    assert completion.usage == Usage(input_tokens=9, output_tokens=2, total_tokens=11)
    assert completion.response_model == "m-1"
    assert completion.request_id == "r1"
    assert completion.response is not None
    assert b"\n" not in bytes(completion.response)
    assert json.loads(bytes(completion.response)) == WHOLE[api]
    (request,) = server.requests
    assert request.target == PATHS[api]
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == "application/json"
    assert request.json["model"] == "m"
    assert "stream" not in request.json


async def test_anthropic_sends_its_version() -> None:
    """The API version comes from the SDK."""
    async with raw_server(answer(WHOLE["anthropic"])) as server:
        async with provider_at(server.url, "anthropic") as provider:
            await complete(provider)
    assert server.requests[0].headers["anthropic-version"] == "2026-10-21"


async def test_connection_is_used_again() -> None:
    """One connection serves several answers."""
    async with raw_server(answer(CHAT)) as server, provider_at(server.url) as provider:
        for _ in range(3):
            assert (await complete(provider)).text == "Hi"
    assert len(server.requests) == 3


STATUSES: list[tuple[int, str, bool, bool]] = [
    (400, "invalid_request", False, False),
    (401, "auth", False, True),
    (402, "quota", False, True),
    (403, "auth", False, False),
    (404, "not_found", False, False),
    (408, "timeout", True, False),
    (409, "provider", True, False),
    (413, "invalid_request", False, False),
    (422, "invalid_request", False, False),
    (425, "provider", True, False),
    (429, "rate_limit", True, False),
    (500, "provider", True, False),
    (501, "provider", False, False),
    (502, "provider", True, False),
    (503, "overloaded", True, False),
    (504, "timeout", True, False),
    (529, "overloaded", True, False),
]


@pytest.mark.parametrize("api", ["openai", "anthropic"])
@pytest.mark.parametrize(("status", "kind", "retryable", "fatal"), STATUSES)
async def test_status(api: Api, status: int, kind: str, retryable: bool, fatal: bool) -> None:
    """Every error status has its kind, in the provider's own words, under both SDKs."""
    body = {"error": {"message": "said so", "type": "t", "code": "c"}}
    headers = {"retry-after": "7", "request-id": "r9"}
    reply = answer(body, status=status, headers=headers)
    async with raw_server(reply) as server, provider_at(server.url, api) as provider:
        error = await failure(provider)
    assert (error.kind, error.retryable, error.fatal) == (kind, retryable, fatal)
    assert error.message == "said so"
    assert (error.http_status, error.code, error.request_id) == (status, "c", "r9")
    assert error.retry_after_s == 7
    assert error.interruption is None
    assert len(server.requests) == 1, "the SDK's own retries are off"


@pytest.mark.parametrize("http", HTTPS)
async def test_page_of_a_proxy_is_quoted(http: Http) -> None:
    """A web page under an error status is retried and quoted without its markup."""
    reply = answer(HTML, status=502, kind="text/html")
    async with raw_server(reply) as server, provider_at(server.url, "openai", http) as provider:
        error = await failure(provider)
        address = f"127.0.0.1:{server.port}"
    assert error.retryable
    assert error.message == f"{address} answered 502 with text/html: 502 Bad Gateway nginx"


@pytest.mark.parametrize("api", APIS)
async def test_web_page_under_200_is_permanent(api: Api) -> None:
    """A login page in place of an answer is reported and not asked again."""
    async with raw_server(answer(HTML, kind="text/html")) as server:
        async with provider_at(server.url, api) as provider:
            error = await failure(provider)
    assert (error.kind, error.retryable) == ("bad_response", False)
    assert "answered 200 with text/html: 502 Bad Gateway" in error.message


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b'"x"', b'{"choices": []}'])
@pytest.mark.parametrize("api", APIS)
async def test_nothing_under_200_is_retried(api: Api, body: bytes) -> None:
    """An empty answer is a bad response that is worth another try."""
    async with raw_server(answer(body)) as server, provider_at(server.url, api) as provider:
        error = await failure(provider)
    assert (error.kind, error.retryable) == ("bad_response", True)
    assert error.http_status == 200


@pytest.mark.parametrize("body", [json.dumps(CHAT).encode()[:-9], b'{"a" 1}'])
async def test_damaged_json_is_retried(body: bytes) -> None:
    """JSON that does not end is a bad response that is worth another try."""
    async with raw_server(answer(body)) as server, provider_at(server.url) as provider:
        error = await failure(provider)
    assert (error.kind, error.retryable) == ("bad_response", True)
    assert "damaged" in error.message


IN_BODY: list[tuple[dict[str, Any], str, bool, bool]] = [
    ({"error": {"message": "m", "type": "server_error", "code": "x"}}, "provider", True, False),
    ({"error": {"message": "m", "code": "rate_limit_exceeded"}}, "rate_limit", True, False),
    ({"error": {"message": "m", "type": "insufficient_quota"}}, "quota", False, True),
    ({"error": {"message": "m", "code": 429}}, "rate_limit", True, False),
    ({"error": {"message": "m", "code": "503"}}, "overloaded", True, False),
    ({"error": "m"}, "provider", True, False),
    (
        {"type": "error", "error": {"type": "overloaded_error", "message": "m"}},
        "overloaded",
        True,
        False,
    ),
    ({"object": "error", "message": "m", "code": 400}, "invalid_request", False, False),
    ({"message": "m"}, "provider", True, False),
]


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(("body", "kind", "retryable", "fatal"), IN_BODY)
async def test_error_under_200(
    api: Api, body: dict[str, Any], kind: str, retryable: bool, fatal: bool
) -> None:
    """An error body under HTTP 200 is judged by its own code."""
    async with raw_server(answer(body)) as server, provider_at(server.url, api) as provider:
        error = await failure(provider)
    assert (error.kind, error.retryable, error.fatal) == (kind, retryable, fatal)
    assert error.message == "m"


@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("api", ["openai", "anthropic"])
@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_no_answer_at_all(api: Api, http: Http, ending: Any) -> None:
    """A connection that closes before the first byte is a connection error, never a timeout."""
    async with raw_server(Reply((), ending)) as server:
        async with provider_at(server.url, api, http) as provider:
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
    async with raw_server(Reply((), "hold")) as server:
        async with provider_at(server.url, api, http) as provider:
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
    async with raw_server(Reply((b"SSH-2.0-OpenSSH_9\r\n\r\n",))) as server:
        async with provider_at(server.url, api, http) as provider:
            error = await failure(provider)
    assert error.kind in ("connection", "bad_response")
    assert error.retryable


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
    async with raw_server(moved, answer(WHOLE[api])) as server:
        async with provider_at(server.url, api) as provider:
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
    async with raw_server(Reply((), "hold")) as server:
        async with provider_at(server.url, "openai", http) as provider:
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
    async with raw_server(answer(WHOLE[api])) as server:
        async with provider_at(server.url, api, http) as provider:
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
