"""Cases 18 to 25 and 38: how streams and bodies end, and how they do not."""

import json
from typing import Any

import pytest

from runner.models import Api
from runner.providers.transport import Http
from runner.settings import Deadlines
from tests.providers.asking import CUTS, HTTPS, written
from tests.providers.bodies import CHAT_EVENTS, CHAT_USAGE, STREAMED, WHOLE, chunk
from tests.providers.raw_server import Reply, answer, data, stream
from tests.wire.engine import LONG, Told, ask
from tests.wire.table import ALL, BOTH, proves

pytestmark = pytest.mark.anyio

HI = Told("succeeded", "Hi")
AGAIN = Told("succeeded", "Hi", requests=2)
TRUNCATED = Told("interrupted", "Hi", "truncated_stream", "connection", retryable=True)


def begun(api: Api) -> bytes:
    """Write a stream as far as both of its letters."""
    return written(api, STREAMED[api][: CUTS[api]])


@proves(18, "openai")
async def test_finish_without_done(api: Api) -> None:
    """A finish reason makes an answer whole, with or without [DONE]."""
    for events in (CHAT_EVENTS, CHAT_EVENTS[:4]):
        assert (await ask(stream(data(*events)), api=api, watched=True)).told == HI


@proves(19, "openai")
async def test_done_without_finish(api: Api) -> None:
    """[DONE] ends no answer by itself, unless the configuration says that it does."""
    reply = stream(data(*CHAT_EVENTS[:3], CHAT_USAGE, "[DONE]"))
    asked = await ask(reply, api=api, watched=True)
    assert asked.told == TRUNCATED._replace(kind="bad_response")
    assert 'set finish_reason = "optional"' in asked.message
    asked = await ask(reply, api=api, watched=True, finish_reason="optional")
    assert asked.told == HI
    assert asked.result.finish_reason == "other"


@proves(20, *ALL)
async def test_more_after_the_end(api: Api) -> None:
    """What follows the end of an answer is nothing, whatever it is."""
    text = written(api, STREAMED[api])
    more = data(chunk({"content": "more"}), {"error": {"message": "no"}}, "{broken")
    asked = await ask(stream(text, more + begun(api)), api=api, watched=True)
    assert asked.told == HI
    assert asked.shown == ["H", "i"]


@proves(21, *ALL)
@pytest.mark.parametrize("http", HTTPS)
async def test_orderly_end_in_the_middle(api: Api, http: Http) -> None:
    """A body that ends in order before the answer does is interrupted and not repeated."""
    asked = await ask(stream(begun(api)), api=api, watched=True, http=http)
    assert asked.told == TRUNCATED
    assert asked.result.usage is None or not asked.result.usage.complete
    assert asked.body is not None


@proves(21, "anthropic")
async def test_orderly_end_that_nobody_saw(api: Api) -> None:
    """Where nobody watched the stream, the whole job is asked again."""
    replies = stream(begun(api)), stream(written(api, STREAMED[api]))
    asked = await ask(*replies, api=api, request=LONG)
    assert asked.told == AGAIN
    assert asked.result.streamed
    assert [one.outcome for one in asked.result.attempts] == ["connection", "ok"]
    assert asked.result.attempts[0].usage is not None


@proves(22, *ALL)
async def test_last_event_without_its_blank_line(api: Api) -> None:
    """The last event counts without its blank line; one that is torn does not."""
    text = written(api, STREAMED[api])
    asked = await ask(stream(text.removesuffix(b"\n\n")), api=api, watched=True)
    assert asked.told == HI
    torn = begun(api) + text.removeprefix(begun(api))[:40]
    assert (await ask(stream(torn), api=api, watched=True)).told == TRUNCATED


@proves(22, *ALL)
async def test_damaged_event(api: Api) -> None:
    """An event that is no JSON interrupts; nothing is guessed from it."""
    asked = await ask(stream(begun(api), b"data: {nope\n\n"), api=api, watched=True)
    assert asked.told == TRUNCATED._replace(kind="bad_response")


@proves(23, *ALL)
@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_connection_lost_in_a_stream(api: Api, http: Http, ending: Any) -> None:
    """A connection lost in mid-stream interrupts, keeps the text and is not repeated."""
    reply = stream(begun(api), ending=ending, terminated=False)
    asked = await ask(reply, api=api, watched=True, http=http)
    assert asked.told == TRUNCATED._replace(reason="connection")
    assert asked.message.endswith("was closed in the middle of the answer")


@proves(23, *ALL)
@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_connection_lost_in_a_body(api: Api, ending: Any) -> None:
    """A body that is cut is asked for again; if it is always cut, the job is interrupted."""
    body = json.dumps(WHOLE[api]).encode()
    cut = answer(body[:40], length=len(body), ending=ending)
    assert (await ask(cut, answer(WHOLE[api]), api=api)).told == AGAIN
    lost = Told("interrupted", None, "connection", "connection", retryable=True, requests=3)
    assert (await ask(cut, api=api)).told == lost


@proves(24, *ALL)
@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_connection_lost_before_the_answer(api: Api, http: Http, ending: Any) -> None:
    """A connection that ends without a byte is tried again, watched or not."""
    nothing = Reply((), ending)
    whole, streamed = answer(WHOLE[api]), stream(written(api, STREAMED[api]))
    assert (await ask(nothing, whole, api=api, http=http)).told == AGAIN
    asked = await ask(nothing, streamed, api=api, watched=True, http=http)
    assert asked.told == AGAIN
    asked = await ask(nothing, api=api, http=http)
    assert asked.told == Told("failed", kind="connection", retryable=True, requests=3)


@proves(25, *ALL)
@pytest.mark.parametrize("http", HTTPS)
async def test_content_length_too_long(api: Api, http: Http) -> None:
    """A body shorter than announced is asked for again, even if it reads as JSON."""
    body = json.dumps(WHOLE[api]).encode()
    short = answer(body, length=len(body) + 9, ending="close")
    assert (await ask(short, answer(WHOLE[api]), api=api, http=http)).told == AGAIN


QUICK = Deadlines(attempt_s=5.0, idle_s=0.12)
TRICKLES: dict[str, bytes] = {
    "silence": b"",
    "bytes": b"x",
    "comments": b": here\n\n",
    "pings": b'event: ping\ndata: {"type": "ping"}\n\n',
}


def trickle(start: bytes, piece: bytes) -> Reply:
    """Answer with a start and then, for ever, the same piece or nothing."""
    head, *chunks = stream(start or b" ", terminated=False).parts
    one = b"%x\r\n%s\r\n" % (len(piece), piece)
    return Reply((head, *chunks, *((one,) * 300 if piece else ())), "hold", pause_s=0.02)


@proves(38, *ALL)
@pytest.mark.parametrize(("kind", "http"), list(zip(TRICKLES, HTTPS * 2, strict=True)))
async def test_stream_that_stalls(api: Api, http: Http, kind: str) -> None:
    """A stream that says nothing more is interrupted as idle, whatever trickles in."""
    reply = trickle(begun(api), TRICKLES[kind])
    asked = await ask(reply, api=api, watched=True, http=http, deadlines=QUICK)
    assert asked.told == Told("interrupted", "Hi", "idle", "timeout", retryable=True)
    assert asked.message.endswith("sent no more of the answer for 0.1s")
    assert asked.result.duration_s is not None
    assert asked.result.duration_s < 2


@proves(38, "anthropic")
async def test_stall_that_nobody_saw(api: Api) -> None:
    """Where nobody watched, a stalled stream is asked for again."""
    replies = trickle(begun(api), b""), stream(written(api, STREAMED[api]))
    assert (await ask(*replies, api=api, request=LONG, deadlines=QUICK)).told == AGAIN


@proves(38, *BOTH)
@pytest.mark.parametrize("watched", [True, False])
@pytest.mark.parametrize("kind", ["silence", "bytes"])
async def test_answer_that_never_begins(api: Api, watched: bool, kind: str) -> None:
    """Before the first word, and for a body, the deadline of the attempt ends the wait."""
    reply = trickle(b"", b" " if kind == "bytes" else b"")
    hasty = Deadlines(attempt_s=0.5, idle_s=0.05)
    asked = await ask(reply, api=api, watched=watched, deadlines=hasty, max_attempts=1)
    assert asked.told == Told("interrupted", None, "deadline", "timeout", retryable=True)
