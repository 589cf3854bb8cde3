"""One call of a batch service as an ASGI application: check, go wrong if told to, answer, count."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from runner.simulator.ask import Api
from runner.simulator.batches.context import Context
from runner.simulator.errors import ApiError
from runner.simulator.exchange import Exchange, Send
from runner.simulator.faults import before_the_answer, cut, error_of
from runner.simulator.headers import request_id_header, retry_headers
from runner.simulator.plan import route_fault
from runner.simulator.scenario import Fault, RouteName
from runner.simulator.strict import check_key, check_version
from runner.simulator.wire import GoneError, Wire

Receive = Callable[[], Awaitable[dict[str, Any]]]
_UPLOADS = {"files.create", "messages.batches.create"}
_CREATES = {"batches.create", "messages.batches.create"}
_JSON = "application/json"
_RESET = Fault(kind="reset")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, as a handler sees it."""

    headers: dict[str, str]
    query: dict[str, str]
    name: str
    """The id in the path; empty where there is none."""
    body: bytes
    root: str
    """How the caller reached this server, as `http://host:port`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """An answer that is a file."""

    kind: str
    size: int
    blocks: Callable[[int], Iterable[bytes]]
    """Reads so many bytes from the beginning."""


Handler = Callable[[Call], Awaitable[dict[str, Any] | Download]]


class Service:
    """Answers the requests of one route."""

    def __init__(self, route: RouteName, api: Api, context: Context, handler: Handler) -> None:
        self._route = route
        self._api = api
        self._context = context
        self._handler = handler

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        wire: Wire = scope["state"]["wire"]
        serial = self._context.serial()
        exchange = Exchange(send, wire, [request_id_header(self._api, f"req_{serial}")])
        try:
            await self._serve(scope, receive, exchange)
        except ApiError as error:
            await self._refuse(exchange, error, serial)
        except GoneError:
            self._context.stats.disconnects += 1

    async def _serve(self, scope: dict[str, Any], receive: Receive, exchange: Exchange) -> None:
        headers = {
            key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]
        }
        tally, path = self._context.tally, scope["path"]
        attempt = tally.called(self._route, path)
        body = await self._read(headers, receive, exchange)
        exchange.wire.watch()
        check_key(self._api, headers)
        if self._api == "messages":
            check_version(headers)
        fault = route_fault(self._context.scenario, self._route, path, attempt)
        if fault:
            self._context.stats.faults[fault.kind] += 1
            if await before_the_answer(exchange, self._api, fault):
                return
            if fault.kind == "error_event":
                raise error_of(self._api, fault)
        call = Call(
            headers=headers,
            query=dict(parse_qsl(scope["query_string"].decode("latin-1"))),
            name=scope["path_params"].get("name", ""),
            body=body,
            root=f"http://{headers.get('host', '')}",
        )
        answer = await self._handler(call)
        settings = self._context.settings
        if self._route in _CREATES and tally.lost_creates < settings.lost_creates:
            tally.lost_creates += 1
            await cut(exchange, _RESET)
            return
        await _send(exchange, answer, fault)

    async def _read(self, headers: dict[str, str], receive: Receive, exchange: Exchange) -> bytes:
        tally = self._context.tally
        failing = self._route in _UPLOADS and (
            tally.failed_uploads < self._context.settings.failed_uploads
        )
        length = int(headers.get("content-length", 0))
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise GoneError
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if failing and 2 * size >= length:
                tally.failed_uploads += 1
                await cut(exchange, _RESET)
                raise GoneError
            if not message.get("more_body"):
                return b"".join(parts)

    async def _refuse(self, exchange: Exchange, error: ApiError, serial: str) -> None:
        self._context.tally.refused(self._route, error.status)
        exchange.headers += retry_headers(self._api, error.retry_after_s)
        body = error.body(self._api, f"req_{serial}")
        try:
            await exchange.reply(error.status, _JSON, msgspec.json.encode(body))
        except GoneError:
            self._context.stats.disconnects += 1


async def _send(exchange: Exchange, answer: dict[str, Any] | Download, fault: Fault | None) -> None:
    if isinstance(answer, dict):
        data = msgspec.json.encode(answer)
        answer = Download(kind=_JSON, size=len(data), blocks=lambda end: iter([data[:end]]))
    if fault is None:
        await _write(exchange, answer, answer.size, answer.size)
        return
    half = answer.size // 2
    if fault.kind == "truncate":
        await _write(exchange, answer, half, half)
        return
    await _write(exchange, answer, half, answer.size)
    await cut(exchange, fault)


async def _write(exchange: Exchange, answer: Download, end: int, promised: int) -> None:
    await exchange.start(200, answer.kind, promised)
    for block in _filled(answer.blocks(end)):
        await exchange.write(block)
    if end == promised:
        await exchange.write(b"", last=True)


def _filled(blocks: Iterable[bytes]) -> Iterator[bytes]:
    return (block for block in blocks if block)
