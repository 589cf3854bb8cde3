"""Streams over real sockets: when an answer counts as whole, and what every other end becomes."""

import json
import zlib
from typing import Any

import anyio
import pytest

from runner.models import Api
from runner.providers.transport import Http
from tests.providers.asking import (
    APIS,
    CUTS,
    HTTPS,
    USAGE,
    provider_at,
    seen,
    watch,
    written,
)
from tests.providers.bodies import CHAT_EVENTS, CHAT_USAGE, STREAMED, WHOLE, chunk
from tests.providers.raw_server import Reply, data, raw_server, stream

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("api", APIS)
async def test_stream_equals_the_whole_answer(api: Api, http: Http) -> None:
    """A stream shows its text and gives the same record as the answer that does not stream."""
    reply = stream(written(api, STREAMED[api]), headers={"request-id": "r1"})
    watched = await seen(reply, api, http)
    assert watched.error is None
    assert watched.texts == ["H", "i"]
    completion = watched.completion
    assert (completion.text, completion.finish_reason) == ("Hi", "stop")
    assert (completion.usage, completion.response_model) == (USAGE, "m-1")
    assert completion.request_id == "r1"
    assert completion.response is not None
    assert json.loads(bytes(completion.response)) == WHOLE[api]


async def test_stream_asks_for_usage() -> None:
    """Chat streams ask for token counts."""
    async with (
        raw_server(stream(written("openai", CHAT_EVENTS))) as server,
        provider_at(server.url) as provider,
    ):
        await watch(provider)
    assert server.requests[0].json["stream"] is True
    assert server.requests[0].json["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("change", ["bytes", "crlf", "cr", "comments", "bom", "nospace", "noise"])
async def test_ways_to_write_the_same(api: Api, change: str) -> None:
    """Line ends, chunk borders, comments, a BOM and empty fields change nothing."""
    text = written(api, STREAMED[api]).replace(b'"H"', '"Hé😀 "'.encode())
    text = text.replace(b'"text": "Hi"', '"text": "Hé😀 i"'.encode())
    parts = [text]
    if change == "bytes":
        parts = [text[n : n + 1] for n in range(len(text))]
    elif change == "crlf":
        parts = [text.replace(b"\n", b"\r\n")]
    elif change == "cr":
        parts = [text.replace(b"\n", b"\r")]
    elif change == "comments":
        parts = [b": ping\n\n" + text.replace(b"\n\n", b"\n\n: ping\n\n")]
    elif change == "bom":
        parts = [b"\xef\xbb", b"\xbf" + text]
    elif change == "nospace":
        parts = [text.replace(b"data: ", b"data:")]
    else:
        parts = [b"retry: 5\n\nevent: ping\n\ndata:\n\nid: 7\n\n" + text]
    watched = await seen(stream(*parts), api)
    assert watched.error is None
    assert watched.text == "Hé😀 i"
    assert watched.completion.text == "Hé😀 i"


@pytest.mark.parametrize("http", HTTPS)
async def test_compressed_events_come_live(http: Http) -> None:
    """Events in a compressed stream are shown as each one is flushed."""
    packer = zlib.compressobj(wbits=31)
    parts = [
        packer.compress(data(event)) + packer.flush(zlib.Z_SYNC_FLUSH) for event in CHAT_EVENTS
    ]
    reply = stream(*parts, packer.flush(), headers={"content-encoding": "gzip"})
    watched = await seen(reply, "openai", http)
    assert (watched.error, watched.texts) == (None, ["H", "i"])


@pytest.mark.parametrize("http", HTTPS)
async def test_corrupt_compression_in_a_stream(http: Http) -> None:
    """Damaged compression ends a stream for good, with what came."""
    packer = zlib.compressobj(wbits=31)
    good = packer.compress(data(*CHAT_EVENTS[:2])) + packer.flush(zlib.Z_FULL_FLUSH)
    reply = stream(good, b"\xff" * 50, headers={"content-encoding": "gzip"})
    watched = await seen(reply, "openai", http)
    assert watched.error is not None
    assert (watched.error.kind, watched.error.retryable) == ("bad_response", False)
    assert (watched.error.interruption, watched.completion.text) == ("connection", "H")


@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    ("ending", "terminated", "reason"),
    [
        ("keep", True, "truncated_stream"),
        ("close", False, "connection"),
        ("reset", False, "connection"),
    ],
)
async def test_cut_in_the_middle(
    api: Api, http: Http, ending: Any, terminated: bool, reason: str
) -> None:
    """A stream that ends without the terminal signal is interrupted and keeps what came."""
    events = STREAMED[api][: CUTS[api]]
    reply = stream(written(api, events), ending=ending, terminated=terminated)
    watched = await seen(reply, api, http)
    error = watched.error
    assert error is not None
    assert (error.kind, error.retryable) == ("connection", True)
    assert error.interruption == reason
    assert error.completion == watched.completion
    assert watched.text == watched.completion.text == "Hi"
    assert watched.completion.finish_reason is None
    usage = watched.completion.usage
    assert usage is None or not usage.complete
    assert watched.completion.response is not None


@pytest.mark.parametrize("http", HTTPS)
async def test_plain_close_is_a_clean_end_of_a_body_without_length(http: Http) -> None:
    """Without length and chunks, only the missing signal tells that a stream was cut."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    watched = await seen(Reply((head, data(*CHAT_EVENTS[:2])), "close"), "openai", http)
    assert watched.error is not None
    assert watched.error.interruption == "truncated_stream"
    assert watched.completion.text == "H"


@pytest.mark.parametrize("api", APIS)
async def test_end_before_anything(api: Api) -> None:
    """A stream that ends before its first event failed; nothing was interrupted."""
    error = (await seen(stream(b": hello\n\n"), api)).error
    assert error is not None
    assert (error.kind, error.retryable, error.interruption) == ("connection", True, None)
    assert error.completion is None


async def test_done_without_finish() -> None:
    """[DONE] alone does not make an answer whole."""
    watched = await seen(stream(data(*CHAT_EVENTS[:3], "[DONE]")))
    assert watched.error is not None
    assert watched.error.interruption == "truncated_stream"


AFTER_THE_END: list[dict[str, Any] | str] = ["[DONE]", chunk({"content": "more"}), "{broken"]


@pytest.mark.parametrize("tail", [[], AFTER_THE_END])
async def test_finish_without_done_or_with_more_after_it(tail: list[dict[str, Any] | str]) -> None:
    """A finish reason makes the answer whole; what follows [DONE] is nothing."""
    events: list[dict[str, Any] | str] = [*CHAT_EVENTS[:4], *tail]
    watched = await seen(stream(data(*events)))
    assert watched.error is None
    assert watched.completion.text == "Hi"
    assert (watched.completion.finish_reason, watched.completion.usage) == ("stop", None)


async def test_finish_must_come_for_every_choice() -> None:
    """Of two answers, one that did not finish makes the stream interrupted."""
    events = [chunk({"content": "a"}), chunk({"content": "b"}, index=1), chunk({}, "stop")]
    watched = await seen(stream(data(*events, "[DONE]")))
    assert watched.error is not None
    assert (watched.text, watched.error.interruption) == ("a", "truncated_stream")


async def test_second_choice_may_start_after_the_first_ended() -> None:
    """Waiting for token counts does not lose a choice that comes late."""
    late = [chunk({"content": "b"}, index=1), chunk({}, "stop", index=1)]
    events: list[dict[str, Any] | str] = [*late, CHAT_USAGE, "[DONE]"]
    events.insert(0, chunk({"content": "a"}, "stop"))
    watched = await seen(stream(*(data(event) for event in events)))
    assert watched.error is None
    assert watched.completion.response is not None
    choices = json.loads(bytes(watched.completion.response))["choices"]
    assert [choice["message"]["content"] for choice in choices] == ["a", "b"]


@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_connection_lost_after_the_answer(ending: Any) -> None:
    """A connection lost after the terminal signal costs the token counts at most."""
    reply = stream(data(*CHAT_EVENTS[:4]), ending=ending, terminated=False)
    watched = await seen(reply)
    assert watched.error is None
    assert watched.completion.text == "Hi"


@pytest.mark.parametrize("api", ["openai-responses", "anthropic"])
@pytest.mark.parametrize("http", HTTPS)
async def test_open_connection_is_not_waited_for(api: Api, http: Http) -> None:
    """After the terminal event nobody waits for the server to close."""
    reply = stream(written(api, STREAMED[api]), terminated=False, ending="hold")
    started = anyio.current_time()
    watched = await seen(reply, api, http)
    assert watched.error is None
    assert anyio.current_time() - started < 3


async def test_usage_is_waited_for_no_longer_than_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that ends the answer and then says nothing does not hold the answer back."""
    monkeypatch.setattr("runner.providers.patience.LINGER_S", 0.1)
    reply = stream(data(*CHAT_EVENTS[:4]), terminated=False, ending="hold")
    watched = await seen(reply)
    assert watched.error is None
    assert (watched.completion.text, watched.completion.usage) == ("Hi", None)


@pytest.mark.parametrize("reply", ["stream", "plain"])
async def test_blanks_before_the_answer(reply: str) -> None:
    """Blanks that only keep a connection alive are no beginning, however many there are."""
    blanks = [b"\n" * 3000, b" \r\n"]
    if reply == "stream":
        watched = await seen(stream(*blanks, written("openai", CHAT_EVENTS)))
    else:
        body = json.dumps(WHOLE["openai"]).encode()
        watched = await seen(stream(*blanks, body, kind="application/json"))
    assert (watched.error, watched.text) == (None, "Hi")


async def test_last_event_without_its_blank_line_counts() -> None:
    """A last event whose JSON is whole is taken; one that is torn is not, and the text is kept."""
    whole = await seen(stream(data(*CHAT_EVENTS[:4])[:-2]))
    torn = await seen(stream(data(*CHAT_EVENTS[:3]), b'data: {"id":"c1","cho'))
    assert (whole.error, whole.completion.finish_reason) == (None, "stop")
    assert torn.error is not None
    assert (torn.error.interruption, torn.completion.text) == ("truncated_stream", "Hi")


async def test_damaged_event_interrupts() -> None:
    """JSON that is broken in the middle of a stream ends it with what came."""
    watched = await seen(stream(data(*CHAT_EVENTS[:2], "{nope", *CHAT_EVENTS[2:])))
    assert watched.error is not None
    assert (watched.error.kind, watched.error.interruption) == ("bad_response", "truncated_stream")
    assert watched.completion.text == "H"


@pytest.mark.parametrize("body", [b"data: 1\n\n", b'data: "keep-alive"\n\n', b"data: null\n\n"])
async def test_events_that_are_no_objects_are_passed_over(body: bytes) -> None:
    """A heartbeat in the form of plain JSON does no harm."""
    watched = await seen(stream(body, written("openai", CHAT_EVENTS)))
    assert (watched.error, watched.text) == (None, "Hi")


@pytest.mark.parametrize("http", HTTPS)
async def test_silence_in_the_middle(http: Http) -> None:
    """A stream that falls silent ends by the timeout of the socket, with what came."""
    reply = stream(data(*CHAT_EVENTS[:2]), terminated=False, ending="hold")
    async with raw_server(reply) as server, provider_at(server.url, http=http) as provider:
        watched = await watch(provider, timeout_s=0.3)
        await server.gone.wait()
    assert watched.error is not None
    assert (watched.error.kind, watched.error.interruption) == ("timeout", "idle")
    assert watched.completion.text == "H"


async def test_connection_of_a_stream_is_used_again() -> None:
    """A stream read to its end leaves a connection that serves the next one."""
    async with (
        raw_server(stream(written("openai", CHAT_EVENTS))) as server,
        provider_at(server.url, http="aiohttp") as provider,
    ):
        await watch(provider)
        connections = server.connections
        await watch(provider)
    assert (connections, server.connections) == (1, 1)


async def test_line_of_16_megabytes() -> None:
    """One enormous event is read in bounded time."""
    long = "x" * (16 * 1024 * 1024)
    with anyio.fail_after(5):
        watched = await seen(stream(data(chunk({"content": long}, "stop"), "[DONE]")))
    assert watched.error is None
    assert watched.completion.text == long
