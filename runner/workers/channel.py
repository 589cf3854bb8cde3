"""Messages over a pipe between two processes of one machine: whole ones, in order, never waiting.

A frame is its length in four bytes, then the message. What is sent in one turn of the event loop
leaves in one write.
"""

import asyncio
import socket
from collections.abc import Callable
from multiprocessing.connection import Connection
from os import dup

_HEAD = 4


class Channel(asyncio.Protocol):
    """One end of the pipe."""

    def __init__(self, take: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        """`take` is given each message, `ended` called once when the other process has gone."""
        self._take = take
        self._ended = ended
        self._transport: asyncio.Transport | None = None
        self._waiting: list[bytes] = []
        self._come = bytearray()
        self._loop = asyncio.get_running_loop()

    def send(self, message: bytes) -> None:
        """Send a message soon. To a process that has gone nothing is sent."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting += (len(message).to_bytes(_HEAD, "big"), message)

    def close(self) -> None:
        """Send what waits, and end the pipe: a worker ends with it."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Tell that the other end has gone."""
        self._transport = None
        self._ended()

    def data_received(self, data: bytes) -> None:
        """Give every whole message."""
        come = self._come
        come += data
        start, size = 0, len(come)
        while size - start >= _HEAD:
            end = start + _HEAD + int.from_bytes(come[start : start + _HEAD], "big")
            if end > size:
                break
            self._take(bytes(come[start + _HEAD : end]))
            start = end
        del come[:start]

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if self._transport is not None and waiting:
            self._transport.write(b"".join(waiting))


async def join(
    connection: Connection, take: Callable[[bytes], None], ended: Callable[[], None]
) -> Channel:
    """Talk over a connection of `multiprocessing`, which is closed here and lives on below."""
    with connection:
        pipe = socket.socket(fileno=dup(connection.fileno()))
    pipe.setblocking(False)
    loop = asyncio.get_running_loop()
    _, channel = await loop.create_connection(lambda: Channel(take, ended), sock=pipe)
    return channel
