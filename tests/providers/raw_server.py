"""A server that says exactly the bytes it is told, for what no proper server would ever send."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Reply:
    """What one request is answered with, piece by piece, and how the connection ends then."""

    parts: tuple[bytes, ...]
    ending: Literal["keep", "close", "reset", "hold"] = "close"
    pause_s: float = 0.0
    """Between two pieces: what a slow server is made of."""


@dataclass(slots=True)
class Received:
    """One request as it came."""

    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as a value."""
        return json.loads(self.body)


@dataclass(slots=True)
class RawServer:
    """A running server; the last reply is repeated."""

    replies: list[Reply]
    port: int = 0
    connections: int = 0
    requests: list[Received] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client closes a connection on its own."""

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests."""
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            self.gone.set()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        self.requests.append(await _request(reader))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        for part in reply.parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(reply.pause_s)
        if reply.ending == "hold":
            await reader.read()
            self.gone.set()
        if reply.ending == "reset":
            # A zero linger time turns the close into a reset.
            writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            writer.transport.abort()
        return reply.ending == "keep"


@asynccontextmanager
async def raw_server(*replies: Reply) -> AsyncIterator[RawServer]:
    """Serve scripted replies on a free port."""
    served = RawServer(list(replies))
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        if served.tasks:
            await asyncio.wait(served.tasks, timeout=2)
        await server.wait_closed()


def answer(
    body: bytes | dict[str, Any] | list[Any] | None = None,
    *,
    status: int = 200,
    kind: str = "application/json",
    headers: dict[str, str] | None = None,
    ending: Literal["keep", "close", "reset", "hold"] = "keep",
    length: int | None = None,
) -> Reply:
    """Answer with a body of known length; `length` lies about it."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    size = len(data) if length is None else length
    return Reply((_head(status, kind, headers, f"content-length: {size}") + data,), ending)


def stream(
    *parts: bytes,
    ending: Literal["keep", "close", "reset", "hold"] = "keep",
    terminated: bool = True,
    headers: dict[str, str] | None = None,
    kind: str = "text/event-stream",
) -> Reply:
    """Answer with a chunked body, one chunk a part; unterminated, it lacks its last chunk."""
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in parts if part]
    end = [b"0\r\n\r\n"] if terminated else []
    head = _head(200, kind, headers, "transfer-encoding: chunked")
    return Reply((head, *chunks, *end), ending)


def data(*events: dict[str, Any] | str) -> bytes:
    """Write events without names, as Chat Completions does."""
    texts = (event if isinstance(event, str) else json.dumps(event) for event in events)
    return b"".join(f"data: {text}\n\n".encode() for text in texts)


def named(*events: dict[str, Any]) -> bytes:
    """Write events under their type's name, as Responses and Messages do."""
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events
    )


def _head(status: int, kind: str, headers: dict[str, str] | None, framing: str) -> bytes:
    fields: Iterable[str] = (f"{name}: {value}" for name, value in (headers or {}).items())
    lines = [f"HTTP/1.1 {status} Status", framing, f"content-type: {kind}", *fields]
    return "\r\n".join([*lines, "", ""]).encode()


async def _request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(first.split(" ")[1], headers, body)
