"""Answers that do not stream, over real sockets: what each failure of the wire becomes."""

import json
from typing import Any

import pytest

from runner.models import Api, Usage
from runner.providers.transport import Http
from tests.providers.asking import APIS, HTTPS, KEY, complete, failure, provider_at
from tests.providers.bodies import CHAT, WHOLE
from tests.providers.raw_server import answer, raw_server

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
    async with (
        raw_server(answer(WHOLE["anthropic"])) as server,
        provider_at(server.url, "anthropic") as provider,
    ):
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
    async with (
        raw_server(answer(HTML, kind="text/html")) as server,
        provider_at(server.url, api) as provider,
    ):
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
