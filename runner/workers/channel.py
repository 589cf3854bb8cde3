"""Messages over a pipe between two processes of one machine: whole ones, in order, never waiting.

A frame is its length in four bytes, then the message. What is sent in one turn of the event loop
leaves in one write.
"""

import asyncio
import socket
from collections.abc import Callable

_HEAD = 4


class Channel(asyncio.Protocol):
    """One end of the pipe."""

    def __init__(self, take: Callable[[bytes], None], ended: Callable[[], object]) -> None:
        """`take` is given each message, `ended` called once when the other process has gone.

        The pipe ends, too, where `take` raises: with words that cannot be understood nobody can
        tell which answer is whose.
        """
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
        self._come += data
        try:
            taken = self._take_all()
        except Exception:  # noqa: BLE001 - whatever it is, the other process is given up
            taken = len(self._come)
            if self._transport is not None:
                self._transport.abort()
        del self._come[:taken]

    def _take_all(self) -> int:
        come, start, size = self._come, 0, len(self._come)
        while size - start >= _HEAD:
            end = start + _HEAD + int.from_bytes(come[start : start + _HEAD], "big")
            if end > size:
                break
            self._take(bytes(come[start + _HEAD : end]))
            start = end
        return start

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if self._transport is not None and waiting:
            self._transport.write(b"".join(waiting))


async def join(
    pipe: socket.socket, take: Callable[[bytes], None], ended: Callable[[], object]
) -> Channel:
    """Talk over one end of a pair of sockets, which is the channel's from now on."""
    pipe.setblocking(False)
    loop = asyncio.get_running_loop()
    _, channel = await loop.create_connection(lambda: Channel(take, ended), sock=pipe)
    return channel
