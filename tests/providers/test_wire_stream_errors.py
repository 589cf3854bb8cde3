"""Errors inside streams, and plain bodies in place of streams, over real sockets."""

from typing import Any

import pytest

from runner.models import Api
from runner.providers.transport import Http
from tests.providers.asking import APIS, CUTS, HTTPS, USAGE, provider_at, seen, written
from tests.providers.bodies import STREAMED, WHOLE, chunk
from tests.providers.raw_server import answer, data, raw_server, stream
from tests.providers.stream_errors import ERRORS

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("api", "event", "expected"), ERRORS)
@pytest.mark.parametrize("first", [True, False])
async def test_error_in_a_stream(
    api: Api, event: bytes, expected: tuple[str, bool, bool], first: bool
) -> None:
    """An error event means what its status would; after output it is an interruption too."""
    before = b"" if first else written(api, STREAMED[api][: CUTS[api]])
    watched = await seen(stream(before, event), api)
    error = watched.error
    assert error is not None
    assert (error.kind, error.retryable, error.fatal) == expected
    assert error.message == "m"
    assert error.interruption == (None if first else "provider_error")
    assert watched.text == ("" if first else "Hi")
    assert (error.completion is None) == first


async def test_text_before_an_error_in_one_packet_is_shown() -> None:
    """What came in the same packet as an error is shown before the error is raised."""
    error = {"error": {"message": "m"}}
    watched = await seen(stream(data(chunk({"content": "all of it"}), error)))
    assert watched.error is not None
    assert watched.text == watched.completion.text == "all of it"


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("http", HTTPS)
async def test_plain_answer_to_a_stream_request(api: Api, http: Http) -> None:
    """A server that does not stream is understood: one delta, the same record."""
    watched = await seen(answer(WHOLE[api]), api, http)
    assert watched.error is None
    assert watched.texts == ["Hi"]
    assert (watched.completion.finish_reason, watched.completion.usage) == ("stop", USAGE)


@pytest.mark.parametrize("api", APIS)
async def test_error_body_to_a_stream_request(api: Api) -> None:
    """A plain error under HTTP 200 is an error for a stream as well."""
    body = {"error": {"message": "m", "code": "rate_limit_exceeded"}}
    error = (await seen(answer(body), api)).error
    assert error is not None
    assert (error.kind, error.interruption) == ("rate_limit", None)


@pytest.mark.parametrize(
    ("body", "retryable"), [(b"<html>log in</html>", False), (b"", True), (b"null", True)]
)
async def test_no_stream_and_no_answer(body: bytes, retryable: bool) -> None:
    """A web page or nothing in place of a stream is a bad response."""
    kind = "text/html" if body.startswith(b"<") else "application/json"
    error = (await seen(answer(body, kind=kind))).error
    assert error is not None
    assert (error.kind, error.retryable) == ("bad_response", retryable)


@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("api", APIS)
async def test_refused_stream(api: Api, http: Http) -> None:
    """An error status in answer to a stream request is read and judged."""
    reply = answer({"error": {"message": "m"}}, status=429, headers={"retry-after": "3"})
    error = (await seen(reply, api, http)).error
    assert error is not None
    assert (error.kind, error.retry_after_s, error.message) == ("rate_limit", 3, "m")


async def test_wrong_assembly_is_a_mistake_of_ours() -> None:
    """A stream does not accept an assembly of another make."""

    class Other:
        def completion(self) -> Any:
            raise NotImplementedError

    async with raw_server(answer({})) as server, provider_at(server.url) as provider:
        with pytest.raises(TypeError):
            await anext(provider.stream({}, Other(), timeout_s=1, idle_s=1))
