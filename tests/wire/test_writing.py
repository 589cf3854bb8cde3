"""Cases 1 to 11: the same answer written in odd ways, and what cannot be read at all."""

import gzip
import json
import zlib

import pytest

from runner.models import Api
from runner.providers.transport import Http
from tests.providers.asking import HTTPS, written
from tests.providers.bodies import CHAT_EVENTS, STREAMED, WHOLE, chunk
from tests.providers.raw_server import answer, data, named, stream
from tests.wire.engine import Told, ask
from tests.wire.table import ALL, BOTH, proves

pytestmark = pytest.mark.anyio

SAID = "Hé😀 i"
GOOD = Told("succeeded", SAID)


def spoken(api: Api, said: str = SAID) -> bytes:
    """Write a whole stream that says so much, with its characters as they are."""
    first = json.dumps(said.removesuffix("i"), ensure_ascii=False).encode()
    text = written(api, STREAMED[api]).replace(b'"H"', first)
    return text.replace(b'"text": "Hi"', b'"text": ' + first[:-1] + b'i"')


@proves(1, *ALL)
async def test_split_characters(api: Api) -> None:
    """A body that comes byte by byte gives the exact text."""
    text = spoken(api)
    asked = await ask(stream(*(text[n : n + 1] for n in range(len(text)))), api=api, watched=True)
    assert asked.told == GOOD
    assert "".join(asked.shown) == SAID


@proves(2, *ALL)
@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
async def test_line_ends(api: Api, end: bytes) -> None:
    """CRLF and lone CR end lines as LF does, also when cut apart."""
    halves = [part + end[:1] for part in spoken(api).split(b"\n")]
    parts = [piece for half in halves for piece in (half, end[1:])]
    assert (await ask(stream(*parts), api=api, watched=True)).told == GOOD


@proves(3, *ALL)
async def test_comments(api: Api) -> None:
    """Keep-alive comments are nothing, even after an id."""
    text = spoken(api).replace(b"\n\n", b"\n\n: ping\n\nid: 7\n\n: ping\n\n")
    assert (await ask(stream(b": first\n\n" + text), api=api, watched=True)).told == GOOD


@proves(4, *ALL)
async def test_empty_events(api: Api) -> None:
    """Events without data are nothing."""
    noise = b"retry: 5\n\nevent: ping\n\ndata:\n\ndata: \n\nid: 7\n\n"
    text = noise + spoken(api).replace(b"\n\n", b"\n\n" + noise)
    assert (await ask(stream(text), api=api, watched=True)).told == GOOD


@proves(5, *ALL)
async def test_byte_order_mark(api: Api) -> None:
    """The first event is kept behind a byte order mark, whole or cut in two."""
    for parts in ([b"\xef\xbb\xbf" + spoken(api)], [b"\xef", b"\xbb\xbf", spoken(api)]):
        asked = await ask(stream(*parts), api=api, watched=True)
        assert asked.told == GOOD
        assert asked.body["id"] == WHOLE[api]["id"], "the first event names the answer"


@proves(6, *ALL)
async def test_spelling_of_data(api: Api) -> None:
    """The blank after `data:` may be missing, and an event may take several lines."""
    text = spoken(api).replace(b'data: {"', b'data:{\ndata: "')
    assert (await ask(stream(text), api=api, watched=True)).told == GOOD


@proves(7, *ALL)
@pytest.mark.parametrize("escaped", [True, False])
async def test_odd_characters(api: Api, escaped: bool) -> None:
    """Line separators, NUL and emoji come through exactly, in records of one line."""
    said = "a\u2028b\x00c😀\x85\ni"
    script = json.dumps(said, ensure_ascii=escaped).encode()
    body = json.dumps(WHOLE[api]).encode().replace(b'"Hi"', script)
    assert (await ask(answer(body), api=api)).told == Told("succeeded", said)
    first = json.dumps(said.removesuffix("i"), ensure_ascii=escaped).encode()
    text = written(api, STREAMED[api]).replace(b'"H"', first).replace(b'"Hi"', script)
    asked = await ask(stream(text), api=api, watched=True)
    assert asked.told == Told("succeeded", said)
    assert "".join(asked.shown) == said


@proves(8, *ALL)
async def test_half_a_surrogate_pair(api: Api) -> None:
    """Half a character is recorded as U+FFFD; halves that meet are joined."""
    body = json.dumps(WHOLE[api]).encode().replace(b'"Hi"', b'"H\\ud83d!"')
    assert (await ask(answer(body), api=api)).told == Told("succeeded", "H\ufffd!")
    text = written(api, STREAMED[api]).replace(b'"H"', b'"\\ud83d"').replace(b'"i"', b'"\\ude00"')
    text = text.replace(b'"Hi"', b'"\\ud83d\\ude00"')
    asked = await ask(stream(text), api=api, watched=True)
    assert asked.told == Told("succeeded", "😀")
    assert asked.shown == ["😀"]


@proves(9, *BOTH)
@pytest.mark.parametrize("http", HTTPS)
async def test_enormous_event(api: Api, http: Http) -> None:
    """One event of 16 MB is read within the patience of this test."""
    long = "x" * (16 * 1024 * 1024)
    delta = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": long}}
    if api == "openai":
        reply = stream(data(chunk({"content": long}, "stop"), "[DONE]"))
    else:
        reply = stream(named(delta, *STREAMED[api][-2:]))
    asked = await ask(reply, api=api, watched=True, http=http)
    assert asked.told == Told("succeeded", long)


@proves(10, *ALL)
@pytest.mark.parametrize("http", HTTPS)
async def test_compressed(api: Api, http: Http) -> None:
    """Compressed bodies are read; compressed events are shown as each is flushed."""
    packed = {"content-encoding": "gzip"}
    whole = answer(gzip.compress(json.dumps(WHOLE[api]).encode()), headers=packed)
    assert (await ask(whole, api=api, http=http)).told == Told("succeeded", "Hi")
    packer = zlib.compressobj(wbits=31)
    parts = [
        packer.compress(written(api, [event])) + packer.flush(zlib.Z_SYNC_FLUSH)
        for event in STREAMED[api]
    ]
    reply = stream(*parts, packer.flush(), headers=packed)
    asked = await ask(reply, api=api, watched=True, http=http)
    assert asked.told == Told("succeeded", "Hi")
    assert asked.shown == ["H", "i"]


@proves(11, *BOTH)
@pytest.mark.parametrize("http", HTTPS)
async def test_damaged_compression(api: Api, http: Http) -> None:
    """Damaged compression is a named error that is not asked again; text before it is kept."""
    packed = {"content-encoding": "gzip"}
    asked = await ask(answer(b"not gzip at all", headers=packed), api=api, http=http)
    assert asked.told == Told("failed", kind="bad_response", retryable=False)
    assert "damaged compressed data" in asked.message
    packer = zlib.compressobj(wbits=31)
    events = CHAT_EVENTS[:3] if api == "openai" else STREAMED[api][:5]
    good = packer.compress(written(api, events)) + packer.flush(zlib.Z_FULL_FLUSH)
    reply = stream(good, b"\xff" * 50, headers=packed)
    asked = await ask(reply, api=api, watched=True, http=http)
    assert asked.told == Told("interrupted", "Hi", "connection", "bad_response", retryable=False)
    assert "damaged compressed data" in asked.message
