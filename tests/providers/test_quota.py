"""What response headers say of limits comes up with every answer, cut answer and failure."""

from contextlib import aclosing
from typing import NamedTuple

import pytest

from runner.models import Api
from runner.providers.transport import Http
from runner.quota import Gauge, Quota
from tests.providers.asking import (
    APIS,
    CUTS,
    HTTPS,
    QUESTION,
    complete,
    failure,
    provider_at,
    watch,
    written,
)
from tests.providers.bodies import STREAMED, WHOLE
from tests.providers.raw_server import Reply, answer, raw_server, stream

pytestmark = pytest.mark.anyio


class Told(NamedTuple):
    """Headers and what they mean."""

    headers: dict[str, str]
    quota: Quota | None


SHAPES = {
    "openai": Told(
        {
            "X-RateLimit-Limit-Requests": "10000",
            "x-ratelimit-remaining-requests": "9999",
            "x-ratelimit-reset-requests": "6ms",
            "x-ratelimit-limit-tokens": "2000000",
            "x-ratelimit-remaining-tokens": "1999900",
            "x-ratelimit-reset-tokens": "1m0.5s",
        },
        Quota(
            requests=Gauge(limit=10_000, remaining=9_999, reset_s=0.006),
            tokens=Gauge(limit=2_000_000, remaining=1_999_900, reset_s=60.5),
        ),
    ),
    "anthropic": Told(
        {
            f"anthropic-ratelimit-{unit}-{figure}": value
            for unit in ("requests", "input-tokens", "output-tokens")
            for figure, value in (
                ("limit", "50"),
                ("remaining", "49"),
                ("reset", "2020-01-01T00:00:00Z"),
            )
        },
        Quota(
            requests=Gauge(limit=50, remaining=49, reset_s=0.0),
            input_tokens=Gauge(limit=50, remaining=49, reset_s=0.0),
            output_tokens=Gauge(limit=50, remaining=49, reset_s=0.0),
        ),
    ),
    "azure": Told(
        {
            "x-ratelimit-remaining-requests": "-1",
            "x-ratelimit-remaining-tokens": "900",
            "x-ratelimit-reset-tokens": "12",
        },
        Quota(tokens=Gauge(remaining=900, reset_s=12.0)),
    ),
    "nonsense": Told(
        {
            "x-ratelimit-limit-tokens": "plenty\xff",
            "x-ratelimit-remaining-tokens": "",
            "x-ratelimit-reset-tokens": "9" * 400,
        },
        None,
    ),
    "none": Told({}, None),
}
BY_API = {"openai": "openai", "openai-responses": "openai", "anthropic": "anthropic"}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("http", HTTPS)
async def test_headers_of_every_kind(http: Http, shape: str) -> None:
    """Whatever a server tells, and leaves out, comes up as far as it makes sense."""
    told = SHAPES[shape]
    reply = answer(WHOLE["openai"], headers=told.headers)
    async with raw_server(reply) as server, provider_at(server.url, http=http) as provider:
        assert (await complete(provider)).quota == told.quota


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("api", APIS)
async def test_answer(api: Api, streamed: bool) -> None:
    """A whole answer brings it, asked for as a stream or not, and sent as one or not."""
    told = SHAPES[BY_API[api]]
    whole = answer(WHOLE[api], headers=told.headers)
    events = stream(written(api, STREAMED[api]), headers=told.headers)
    for reply in (whole, events):
        async with raw_server(reply) as server, provider_at(server.url, api) as provider:
            if streamed:
                seen = await watch(provider)
                assert (seen.error, seen.completion.quota) == (None, told.quota)
            else:
                assert (await complete(provider)).quota == told.quota


@pytest.mark.parametrize("api", APIS)
async def test_cut_stream(api: Api) -> None:
    """A stream that is cut brings it twice: with the failure and with what had come."""
    told = SHAPES[BY_API[api]]
    cut = written(api, STREAMED[api][: CUTS[api]])
    for reply in (
        stream(cut, headers=told.headers),
        stream(cut, headers=told.headers, terminated=False, ending="reset"),
        stream(cut, b"event: error\ndata: sorry\n\n", headers=told.headers),
    ):
        async with raw_server(reply) as server, provider_at(server.url, api) as provider:
            seen = await watch(provider)
        assert seen.error is not None
        assert seen.error.quota == seen.completion.quota == told.quota


@pytest.mark.parametrize("api", APIS)
async def test_stream_that_we_stop(api: Api) -> None:
    """A stream that is given up in its middle has brought it."""
    told = SHAPES[BY_API[api]]
    cut = written(api, STREAMED[api][: CUTS[api]])
    reply = stream(cut, headers=told.headers, terminated=False, ending="hold")
    async with raw_server(reply) as server, provider_at(server.url, api) as provider:
        assembly = provider.assembly()
        body = provider.body("m", QUESTION, stream=True)
        async with aclosing(provider.stream(body, assembly, timeout_s=5, idle_s=5)) as deltas:
            await anext(deltas)
        assert assembly.completion().quota == told.quota


@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("api", APIS)
async def test_failure(api: Api, http: Http) -> None:
    """Every failure that came with headers brings it, one without any does not."""
    told = SHAPES[BY_API[api]]
    error = {"error": {"type": "rate_limit_error", "message": "slow down"}}
    replies = [
        answer(error, status=429, headers=told.headers, ending="close"),
        answer(error, status=500, headers=told.headers, ending="close"),
        answer(error, headers=told.headers, ending="close"),
        answer(b"<html>", kind="text/html", headers=told.headers, ending="close"),
        answer(b"<html>", status=502, headers=told.headers, ending="close"),
        answer(b'{"id":', length=500, headers=told.headers, ending="close"),
        answer(b"", status=307, headers={"location": "http://x.test/", **told.headers}),
    ]
    async with raw_server(*replies) as server, provider_at(server.url, api, http) as provider:
        for _ in range(len(replies)):
            assert (await failure(provider)).quota == told.quota
    async with (
        raw_server(Reply((), "reset")) as server,
        provider_at(server.url, api, http) as provider,
    ):
        assert (await failure(provider)).quota is None
