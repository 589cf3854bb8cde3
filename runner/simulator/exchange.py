"""One request's answer on its way: status, headers and body over ASGI, with the wire in view."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from runner.simulator.headers import Headers
from runner.simulator.wire import GoneError, Wire

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Exchange:
    """Sends an answer and knows what time it is in it."""

    def __init__(self, send: Send, wire: Wire, headers: Headers) -> None:
        """Begin now; `headers` go with every answer of this request."""
        self._send = send
        self._loop = asyncio.get_running_loop()
        self.wire = wire
        self.headers = headers
        self.began = self._loop.time()

    def now(self) -> float:
        """The moment by the clock that `Wire.sleep_until` goes by."""
        return self._loop.time()

    async def at(self, seconds: float) -> None:
        """Wait until so many seconds after the beginning.

        Raises:
            GoneError: at once when the connection is lost.
        """
        moment = self.began + seconds
        if moment > self._loop.time():
            await self.wire.sleep_until(moment)
        else:
            await asyncio.sleep(0)  # late: catch up, but let others have their turn

    async def start(self, status: int, content_type: str, length: int | None = None) -> None:
        """Send status and headers; without a length the body ends when it ends."""
        headers = [*self.headers, (b"content-type", content_type.encode())]
        if length is not None:
            headers.append((b"content-length", str(length).encode()))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, data: bytes, *, last: bool = False) -> None:
        """Send a piece of the body in a write of its own.

        Raises:
            GoneError: nobody is there any more.
        """
        if self.wire.gone:
            raise GoneError
        await self._send({"type": "http.response.body", "body": data, "more_body": not last})

    async def reply(self, status: int, content_type: str, body: bytes) -> None:
        """Send a whole answer."""
        await self.start(status, content_type, len(body))
        await self.write(body, last=True)
