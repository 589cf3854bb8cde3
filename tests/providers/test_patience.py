"""How long a stream's next event is waited for, and what ends an answer without a finish reason."""

import json
from typing import Any

import anyio
import pytest

from runner.models import Api
from runner.providers.transport import Http
from tests.providers.asking import APIS, CUTS, HTTPS, complete, failure, provider_at, watch, written
from tests.providers.bodies import CHAT, CHAT_EVENTS, CHAT_USAGE, STREAMED, WHOLE, chunk
from tests.providers.raw_server import Reply, answer, data, raw_server, stream

pytestmark = pytest.mark.anyio

KEEP_ALIVES: dict[str, bytes] = {
    "nothing": b"",
    "bytes": b"d",
    "comments": b": still here\n\n",
    "pings": b'event: ping\ndata: {"type": "ping"}\n\n',
    "empty": b"data:\n\n",
    "named": b"event: keepalive\ndata: {}\n\n",
    "no object": b'data: "keep-alive"\n\n',
}


@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("kind", KEEP_ALIVES)
async def test_what_says_nothing_keeps_no_stream_alive(kind: str, http: Http) -> None:
    """A stream without events ends as idle in time, whatever else trickles in."""
    start = stream(data(*CHAT_EVENTS[:3]), terminated=False).parts
    reply = Reply((*start, *drops(KEEP_ALIVES[kind])), "hold", pause_s=0.02)
    async with raw_server(reply) as server, provider_at(server.url, http=http) as provider:
        with anyio.fail_after(3):
            watched = await watch(provider, idle_s=0.2)
            await server.gone.wait()
        address = f"127.0.0.1:{server.port}"
    error = watched.error
    assert error is not None
    assert (error.kind, error.interruption, error.retryable) == ("timeout", "idle", True)
    assert error.message == f"{address} sent no more of the answer for 0.2s"
    assert watched.text == watched.completion.text == "Hi"
    assert error.completion == watched.completion


async def test_a_provider_may_have_a_patience_of_its_own() -> None:
    """What its configuration says counts for it, and not what counts for the others."""
    start = stream(data(*CHAT_EVENTS[:3]), terminated=False).parts
    async with (
        raw_server(Reply(start, "hold")) as server,
        provider_at(server.url, idle_timeout_s=0.2) as provider,
    ):
        with anyio.fail_after(3):
            watched = await watch(provider, idle_s=60)
    assert watched.error is not None
    assert watched.error.interruption == "idle"
    assert watched.error.message.endswith("for 0.2s")


@pytest.mark.parametrize("api", APIS)
async def test_every_event_renews_the_patience(api: Api) -> None:
    """A slow stream whose events keep coming goes on for as long as it takes."""
    events, last = STREAMED[api], CUTS[api] - 1
    slow = [*events[:last], *[events[last]] * 12, *events[last:]]
    parts = tuple(part for event in slow for part in parts_of(written(api, [event])))
    head, *_ = stream(b"x").parts
    reply = Reply((head, *parts, b"0\r\n\r\n"), "close", pause_s=0.05)
    async with raw_server(reply) as server, provider_at(server.url, api) as provider:
        started = anyio.current_time()
        watched = await watch(provider, idle_s=0.4)
    assert anyio.current_time() - started > 0.6
    assert (watched.error, watched.text) == (None, "H" + "i" * 13)


@pytest.mark.parametrize("api", APIS)
async def test_thinking_is_waited_for(api: Api) -> None:
    """Before the model's first word the idle bound does not count."""
    events = STREAMED[api]
    first, rest = written(api, events[:1]), written(api, events[1:])
    head, *_ = stream(b"x").parts
    end = data("[DONE]") if api == "openai" else b""
    pings = drops(KEEP_ALIVES["comments"], 12)
    parts = (head, *parts_of(first), *pings, *parts_of(rest), *parts_of(end), b"0\r\n\r\n")
    reply = Reply(parts, pause_s=0.05)
    async with raw_server(reply) as server, provider_at(server.url, api) as provider:
        watched = await watch(provider, idle_s=0.4)
    assert (watched.error, watched.text) == (None, "Hi")


UNFINISHED_STREAMS: dict[str, tuple[bytes, bool]] = {
    "done": (data(*CHAT_EVENTS[:3], CHAT_USAGE, "[DONE]"), True),
    "clean end": (data(*CHAT_EVENTS[:3], CHAT_USAGE), True),
    "cut": (data(*CHAT_EVENTS[:3]), False),
    "no output": (data(CHAT_EVENTS[0], "[DONE]"), True),
}


@pytest.mark.parametrize("optional", [True, False])
@pytest.mark.parametrize("how", UNFINISHED_STREAMS)
async def test_streams_without_a_finish_reason(how: str, optional: bool) -> None:
    """Where the reason is optional, an orderly end after some output ends the answer."""
    text, terminated = UNFINISHED_STREAMS[how]
    settings: dict[str, Any] = {"finish_reason": "optional"} if optional else {}
    reply = stream(text, terminated=terminated, ending="keep" if terminated else "close")
    async with raw_server(reply) as server, provider_at(server.url, **settings) as provider:
        watched = await watch(provider)
    if optional and how in ("done", "clean end"):
        assert watched.error is None
        assert (watched.completion.text, watched.completion.finish_reason) == ("Hi", "other")
        assert watched.completion.usage is not None
        assert watched.completion.usage.complete
    else:
        assert watched.error is not None
        expected = "connection" if how == "cut" else "truncated_stream"
        assert watched.error.interruption == expected
        assert watched.completion.finish_reason is None


WITHOUT_END: dict[Api, dict[str, Any]] = {
    "openai": {**CHAT, "choices": [{**CHAT["choices"][0], "finish_reason": None}]},
    "openai-responses": {**WHOLE["openai-responses"], "status": None},
    "anthropic": {**WHOLE["anthropic"], "stop_reason": None},
}


@pytest.mark.parametrize("api", APIS)
async def test_bodies_without_a_finish_reason(api: Api) -> None:
    """A whole body that does not say why it ends is interrupted, its text and counts kept."""
    async with (
        raw_server(answer(WITHOUT_END[api])) as server,
        provider_at(server.url, api) as provider,
    ):
        error = await failure(provider)
    assert (error.kind, error.interruption) == ("bad_response", "truncated_stream")
    assert error.retryable
    assert ('set finish_reason = "optional"' in error.message) == (api == "openai")
    assert error.completion is not None
    assert (error.completion.text, error.completion.finish_reason) == ("Hi", None)
    assert error.completion.usage is not None
    assert json.loads(bytes(error.completion.response or b"")) == WITHOUT_END[api]


async def test_body_without_a_finish_reason_where_it_is_optional() -> None:
    """A server that never gives a reason is answered by its whole body."""
    async with (
        raw_server(answer(WITHOUT_END["openai"])) as server,
        provider_at(server.url, finish_reason="optional") as provider,
    ):
        completion = await complete(provider)
    assert (completion.text, completion.finish_reason) == ("Hi", "other")


async def test_tool_calls_without_an_index_stay_apart() -> None:
    """Calls that come in one event without numbers are told apart by their places."""
    calls = [{"id": name, "function": {"name": name, "arguments": "{}"}} for name in ("a", "b")]
    events = [chunk({"tool_calls": calls}), chunk({}, "tool_calls")]
    async with (
        raw_server(stream(data(*events, "[DONE]"))) as server,
        provider_at(server.url) as provider,
    ):
        watched = await watch(provider)
    assert watched.completion.response is not None
    message = json.loads(bytes(watched.completion.response))["choices"][0]["message"]
    assert [call["id"] for call in message["tool_calls"]] == ["a", "b"]


def parts_of(text: bytes) -> tuple[bytes, ...]:
    """Write one chunk of a body, or nothing for nothing."""
    return (b"%x\r\n%s\r\n" % (len(text), text),) if text else ()


def drops(text: bytes, number: int = 200) -> tuple[bytes, ...]:
    """Write the same again and again, each in its own chunk."""
    return parts_of(text) * number
