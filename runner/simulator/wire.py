"""The connection beneath HTTP: noticing that the caller went away, and cutting it off on purpose.

ASGI shows neither the transport nor, while an answer is being prepared, a lost connection; so the
protocol puts one `Wire` a connection into the state of each of its requests.
"""

import asyncio
import socket
import struct
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

_LINGER_NOT_AT_ALL = struct.pack("ii", 1, 0)


class GoneError(Exception):
    """The connection is closed, by the caller or by us."""


class Wire:
    """One connection, for as long as it lasts."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None
        self.transport: asyncio.Transport | None = None
        self.flow: FlowControl | None = None
        self.gone = False

    def lost(self) -> None:
        """Wake whoever waits: nobody will read what is still to be sent."""
        self.gone = True
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def watch(self) -> None:
        """Read on, so that a lost connection is noticed while an answer is prepared.

        uvicorn stops reading amid a body of more than 64 kB, and a last part that was already
        waited for does not start it again.
        """
        if self.flow:
            self.flow.resume_reading()

    async def sleep_until(self, moment: float | None) -> None:
        """Wait for a moment of the loop's clock (None: for ever).

        Raises:
            GoneError: at once when the connection is lost.
        """
        if not self.gone:
            self._waiter = self._loop.create_future()
            alarm = moment is not None and self._loop.call_at(moment, self._ring, self._waiter)
            try:
                await self._waiter
            finally:
                if alarm:
                    alarm.cancel()
        if self.gone:
            raise GoneError

    async def close(self) -> None:
        """Close the connection here and now, whatever HTTP still owes (FIN)."""
        if self.transport:
            self.transport.close()
        await self._closed()

    async def reset(self) -> None:
        """Break the connection off (RST)."""
        if self.transport:
            raw: socket.socket = self.transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT_AT_ALL)
            self.transport.abort()
        await self._closed()

    async def _closed(self) -> None:
        try:
            await self.sleep_until(None)
        except GoneError:
            return

    @staticmethod
    def _ring(waiter: asyncio.Future[None]) -> None:
        if not waiter.done():
            waiter.set_result(None)


class WiredProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 that hands `Wire` to the application as `scope["state"]["wire"]`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.wire = Wire(_loop or asyncio.get_running_loop())
        super().__init__(config, server_state, {**app_state, "wire": self.wire}, _loop)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn: narrower than asyncio's
        self.wire.transport = transport
        super().connection_made(transport)
        self.wire.flow = self.flow

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.wire.lost()
