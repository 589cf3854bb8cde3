"""Server-sent events from bytes, without I/O: bytes in, events out.

The SDKs' own parsers lose the first event after a BOM, fail on empty `data:` lines and end
silently where a stream is cut, so the bytes are read here. Knows nothing of any provider.
"""

from typing import NamedTuple

_BOM = b"\xef\xbb\xbf"


class SseEvent(NamedTuple):
    """One event. `name` is its `event:` line, or empty."""

    name: str
    data: str


class SseParser:
    """Takes chunks cut anywhere, also inside a character or a line end."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._name = ""
        self._data = bytearray()
        self._after_cr = False
        self._at_start = True

    @property
    def pending(self) -> int:
        """How many bytes of an event have come that is not complete yet."""
        return len(self._data) + len(self._line)

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """Take the next bytes; return the events that they complete."""
        if not chunk:
            return []
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
            self._after_cr = False
            if not chunk:
                return []
        self._after_cr = chunk.endswith(b"\r")
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        first, *rest = chunk.split(b"\n")
        self._line += first
        events: list[SseEvent] = []
        for following in rest:
            self._take_line(events)
            self._line += following
        return events

    def close(self) -> SseEvent | None:
        """End the stream; return the event that its end cut short, if there was one."""
        events: list[SseEvent] = []
        self._take_line(events)
        self._dispatch(events)
        return events[-1] if events else None

    def _take_line(self, events: list[SseEvent]) -> None:
        line = bytes(self._line)
        self._line.clear()
        if self._at_start:
            line = line.removeprefix(_BOM)
            self._at_start = False
        if not line:
            self._dispatch(events)
            return
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data += value + b"\n"
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
        elif field == b"error":
            # Older llama.cpp writes `error: {...}` where the standard has no such field.
            self._name = "error"
            self._data += value + b"\n"

    def _dispatch(self, events: list[SseEvent]) -> None:
        data = self._data.removesuffix(b"\n").decode("utf-8", "replace")
        if data.strip():
            events.append(SseEvent(self._name, data))
        self._name = ""
        self._data.clear()
