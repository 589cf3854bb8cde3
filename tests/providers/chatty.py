"""A server whose answers name the question, and that says more than it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from runner.models import Api
from tests.providers.bodies import WHOLE

Moment = Literal["never", "with it", "with its end", "begun", "halves", "unread", "idle", "eof"]
"""When the unasked answer comes: in one piece with the asked one, in one with its last bytes, its
head torn and ended later or together with the next answer, while the connection is idle but not
yet read, while idle and read; or the connection ends."""
WRONG = "WRONG"


@dataclass
class Chatty:
    """A running server."""

    api: Api
    moment: Moment
    torn_at: int = 30
    """How many bytes of the unasked answer come first where it is torn."""
    port: int = 0
    connections: int = 0
    asked: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests."""
        self.connections += 1
        self.writers.append(writer)
        left = b""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].split()[0])
                question = json.loads(await reader.readexactly(length))
                self.asked += 1
                left = await self._answer(writer, str(question["metadata"]["q"]), left)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, text: str, left: bytes) -> bytes:
        answer, more = self._response(text), self._response(WRONG)
        match self.moment:
            case "with it":
                writer.write(answer + more)
            case "with its end":
                writer.write(answer[:-5])
                await asyncio.sleep(0.02)
                writer.write(answer[-5:] + more)
            case "begun":
                writer.write(answer + more[: self.torn_at])
            case "halves":
                writer.write(left + answer + more[: self.torn_at])
            case _:
                writer.write(answer)
        return more[self.torn_at :]

    def more(self) -> None:
        """Say what nobody asked for, where a connection is idle."""
        more, writer = self._response(WRONG), self.writers[-1]
        if writer.is_closing():
            return
        if self.moment in ("unread", "idle"):
            writer.write(more)
        elif self.moment == "begun":
            writer.write(more[self.torn_at :])
        elif self.moment == "eof":
            writer.write_eof()

    def _response(self, text: str) -> bytes:
        body = json.dumps(WHOLE[self.api]).replace('"Hi"', json.dumps(text)).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
        return head.encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def chatty(api: Api, moment: Moment, torn_at: int = 30) -> AsyncIterator[Chatty]:
    """Serve on a free port."""
    served = Chatty(api, moment, torn_at)
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        for writer in served.writers:
            writer.close()
