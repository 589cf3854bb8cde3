"""Whatever a server does, an answer or failure by a worker is the one of a single process."""

import gzip
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple

import pytest

from runner.config import Config
from runner.models import Api
from runner.providers.registry import Opener
from tests.providers.asking import APIS, CUTS, written
from tests.providers.bodies import STREAMED, WHOLE
from tests.providers.raw_server import Reply, answer, raw_server, stream
from tests.workers.asking import by_itself, by_workers, config_of, outcome

pytestmark = pytest.mark.anyio

HINTS = {
    "retry-after": "7",
    "x-request-id": "req-1",
    "x-ratelimit-limit-requests": "500",
    "x-ratelimit-remaining-requests": "499",
    "x-ratelimit-reset-requests": "120ms",
    "anthropic-ratelimit-tokens-limit": "9" * 15,
}
HALF = json.loads('"half \\ud83d a pair"')
STATUSES = (400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 498, 500, 502, 503, 504, 529)


def with_text(api: Api, text: str) -> bytes:
    """Write an answer with this text."""
    return json.dumps(WHOLE[api]).replace('"Hi"', json.dumps(text)).encode()


def refusals() -> dict[str, Reply]:
    """Give every way to say no."""
    found = {f"status {status}": _refusal(status) for status in STATUSES}
    found["half a pair in words"] = answer({"error": {"message": HALF, "code": HALF}}, status=400)
    found["odd code"] = answer({"error": {"message": 7, "code": 1 << 70, "type": []}}, status=400)
    found["no quota"] = answer(
        {"error": {"message": "m", "code": "insufficient_quota"}}, status=429
    )
    found["a page"] = answer(b"<title>Bad</title>", status=502, kind="text/html")
    found["bad UTF-8 in words"] = answer(b'{"error": {"message": "\xff\xfe"}}', status=400)
    found["elsewhere"] = answer(b"", status=307, headers={"location": "http://elsewhere.test/"})
    return found


def _refusal(status: int) -> Reply:
    body = {"error": {"message": f"no {status}", "code": "c", "type": "t"}}
    return answer(body, status=status, headers=HINTS)


def wholes(api: Api) -> dict[str, Reply]:
    """Give every sort of body."""
    odd = json.dumps(WHOLE[api]).replace(": 9", ": " + "9" * 40)
    good = json.dumps(WHOLE[api]).encode()
    packed = gzip.compress(good)
    return {
        "plain": answer(WHOLE[api], headers=HINTS),
        "long": answer(with_text(api, "long " * 500_000)),
        "half a pair": answer(with_text(api, HALF)),
        "odd letters": answer(with_text(api, "\u2028 \0 \U0001f600")),
        "bad UTF-8": answer(good.replace(b'"Hi"', b'"H\xff\xfei"')),
        "impossible counts": answer(odd.encode()),
        "gzip": answer(packed, headers={"content-encoding": "gzip"}),
        "damaged gzip": answer(packed[:-9] + b"012345678", headers={"content-encoding": "gzip"}),
        "page": answer(b"<title>Log in</title>", kind="text/html"),
        "nothing": answer(b""),
        "null": answer(b"null"),
        "list": answer(b"[]"),
        "error": answer({"error": {"message": "m", "code": "server_error"}}, headers=HINTS),
        "unasked stream": stream(written(api, STREAMED[api])),
        "chunked": stream(good[:20], good[20:], kind="application/json"),
        "headers too long": answer(b"{}", headers={"x-long": "a" * 20_000}, ending="close"),
        "not HTTP": Reply((b"SSH-2.0-OpenSSH_9\r\n\r\n",)),
        "fewer bytes": answer(b'{"id":', length=500, ending="close"),
        "reset": Reply((), "reset"),
        "closed": Reply((), "close"),
        "silence": Reply((), "hold"),
        "silence in the body": answer(b'{"id":', length=500, ending="hold"),
    }


def streams(api: Api) -> dict[str, Reply]:
    """Give every sort of stream."""
    events = STREAMED[api]
    begun = written(api, events[: CUTS[api]])
    long = json.dumps(events).replace('"H"', json.dumps("H" * 2_000_000))
    failing = (
        b'event: error\ndata: {"type":"error","error":{"type":"server_error","message":"m"}}\n\n'
    )
    return {
        "stream": stream(written(api, events), headers=HINTS),
        "long stream": stream(written(api, json.loads(long))),
        "crumbs": stream(*(b"%c" % byte for byte in written(api, events))),
        "ended early": stream(begun),
        "cut": stream(begun, terminated=False, ending="close"),
        "reset in mid-stream": stream(begun, terminated=False, ending="reset"),
        "silence in mid-stream": stream(begun, terminated=False, ending="hold"),
        "error in mid-stream": stream(begun, failing),
        "error at first": stream(failing),
        "nonsense": stream(begun, b"data: {nonsense\n\n"),
        "bad UTF-8 in a stream": stream(begun.replace(b'"i"', b'"\xff"'), failing),
        "no stream": answer(WHOLE[api]),
    }


class Case(NamedTuple):
    """What a server does, and whether a stream was asked for."""

    name: str
    reply: Reply
    streamed: bool


Way = Callable[[Config], AbstractAsyncContextManager[Opener]]


def cases(api: Api) -> list[Case]:
    """Give all of them."""
    whole = {**refusals(), **wholes(api)}
    return [
        *(Case(name, reply, streamed=False) for name, reply in whole.items()),
        *(Case(name, reply, streamed=True) for name, reply in streams(api).items()),
    ]


def unported(told: dict[str, Any], url: str) -> dict[str, Any]:
    """Leave out what differs from server to server."""
    port = url.rpartition(":")[2]
    words = {"message": told.get("message", "").replace(port, "PORT")}
    return {**told, **words}


async def outcomes(api: Api, table: list[Case], way: Way) -> list[dict[str, Any]]:
    """Play all cases in one way."""
    replies = [case.reply for case in table]
    told = []
    async with raw_server(*replies) as server, way(config_of({api: server.url})) as opener:
        for case in table:
            limit = 0.2 if "silence" in case.name else 5.0
            one = await outcome(opener, api, streamed=case.streamed, timeout_s=limit)
            told.append({"case": case.name, **unported(one, server.url)})
    return told


@pytest.mark.parametrize("api", APIS)
async def test_what_a_server_does_is_the_same_by_a_worker(api: Api) -> None:
    """Every field of answers and failures agrees, over all that a wire and a server can do."""
    table = cases(api)
    alone, by_a_worker = [await outcomes(api, table, way) for way in (by_itself, by_workers)]
    for one, other in zip(alone, by_a_worker, strict=True):
        assert other == one
    kinds = {one.get("kind") for one in by_a_worker}
    assert "internal" not in kinds
    assert len(kinds) >= 10, "the cases have become few"
