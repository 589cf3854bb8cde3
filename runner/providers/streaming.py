"""The events of one response, one at a time, and how the response ended.

Tells a stream from a plain body that came in its place. Knows no API.
"""

from collections import deque
from collections.abc import Callable
from contextlib import aclosing

import anyio
from anyio.lowlevel import checkpoint

from runner.providers.raw_body import read_json
from runner.providers.sse import SseEvent, SseParser
from runner.providers.transport import Reply

_DRAIN_S = 0.1
"""How long to read on for the end of the response, so that its connection can be used again."""
_MOST_KEPT = 65_536
_UNHEARD_BYTES = 262_144
_PLAIN_STARTS = (b"{", b"[", b"<")


MOST_BYTES = 64 * 1024 * 1024
"""Of one body, or of one event of a stream: as long as a line of the input may be."""
MOST_STREAMED = 16 * MOST_BYTES
"""Of a whole stream: every token has some hundred bytes around it."""


class TooMuchError(Exception):
    """The server sends more than any answer needs; memory ends before it does."""


class SilenceError(Exception):
    """No event came in time, whatever bytes did."""


def is_labelled(reply: Reply) -> bool:
    """Whether a reply says that it is a stream of events."""
    return "event-stream" in reply.headers.get("content-type", "")


async def read_whole(reply: Reply) -> bytes:
    """Read a body to its end. Raises TooMuchError, or whatever the transport raises."""
    pieces: list[bytes] = []
    size = heard = 0
    async with aclosing(reply.aiter_bytes()) as incoming:
        async for piece in incoming:
            pieces.append(piece)
            size += len(piece)
            if size > MOST_BYTES:
                raise TooMuchError
            if size - heard >= _UNHEARD_BYTES:
                # What is there already comes without any wait, and no deadline is heard between.
                heard = size
                await checkpoint()
    return b"".join(pieces)


class EventStream:
    """Reads events from a reply."""

    def __init__(self, reply: Reply, scrub: Callable[[str], str]) -> None:
        """`scrub` takes keys out of an event: out of pieces it could not, which may cut a key."""
        self._chunks = aiter(reply.aiter_bytes())
        self._scrub = scrub
        self._parser = SseParser()
        self._ready: deque[SseEvent] = deque()
        self._head = bytearray()
        self._is_plain: bool | None = None
        self._seen = False
        self._labelled = is_labelled(reply)
        self._received = 0
        self.plain_body: bytes | None = None
        """What came, where it was no stream; set when it has ended."""

    async def next(self, *, deadline: float) -> SseEvent | None:
        """Wait for the next event until `deadline`, by the event loop's clock; None at the end.

        A last event without its blank line counts if its JSON is whole. Raises SilenceError and
        TooMuchError.
        """
        while not self._ready:
            with anyio.CancelScope(deadline=deadline) as scope:
                chunk = await anext(self._chunks, None)
            if scope.cancelled_caught:
                raise SilenceError
            if chunk is None:
                return self._scrubbed(self._at_end())
            self._take(chunk)
            # A little that is compressed becomes very many pieces, which come without any wait:
            # no deadline and no Ctrl-C would be heard between them.
            await checkpoint()
        return self._scrubbed(self._ready.popleft())

    def _scrubbed(self, event: SseEvent | None) -> SseEvent | None:
        return None if event is None else event._replace(data=self._scrub(event.data))

    async def drain(self) -> None:
        """Read what is left if it comes at once."""
        with anyio.move_on_after(_DRAIN_S):
            while await anext(self._chunks, None) is not None:
                pass

    def _take(self, chunk: bytes) -> None:
        self._received += len(chunk)
        held = max(self._parser.pending, len(self._head))
        if held > MOST_BYTES or self._received > MOST_STREAMED:
            raise TooMuchError
        if self._seen:
            self._ready.extend(self._parser.feed(chunk))
            return
        if self._is_plain or len(self._head) < _MOST_KEPT:
            self._head += chunk
        if self._is_plain is None:
            start = bytes(self._head).removeprefix(b"\xef\xbb\xbf").lstrip()
            if not start:
                self._head.clear()
                return
            self._is_plain = start.startswith(_PLAIN_STARTS)
            chunk = bytes(self._head)
        if not self._is_plain:
            self._ready.extend(self._parser.feed(chunk))
            self._seen = bool(self._ready)

    def _at_end(self) -> SseEvent | None:
        if self._is_plain or not (self._seen or self._labelled):
            self.plain_body = bytes(self._head)
            return None
        cut = self._parser.close()
        return cut if cut is not None and _is_whole(cut.data) else None


def _is_whole(data: str) -> bool:
    try:
        read_json(data.encode("utf-8", "replace"))
    except ValueError:
        return data.strip() == "[DONE]"
    return True
