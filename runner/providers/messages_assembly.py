"""A streamed Messages answer put together into the body that does not stream.

Events are told apart by the `type` in their JSON: some servers leave out the `event:` line.
"""

import json
from typing import Any

from runner.providers.assembling import StreamAssembly
from runner.providers.base import Delta
from runner.providers.faults import FaultError, fault_in, fault_of
from runner.providers.fields import index, items, mapping, string
from runner.providers.surrogates import Pieces

_TEXTS = {"text_delta": "text", "thinking_delta": "thinking"}
_OPENED_BY: dict[str, dict[str, Any]] = {
    "text_delta": {"type": "text", "text": ""},
    "citations_delta": {"type": "text", "text": ""},
    "thinking_delta": {"type": "thinking", "thinking": ""},
    "signature_delta": {"type": "thinking", "thinking": ""},
    "input_json_delta": {"type": "tool_use", "input": {}},
}


class MessagesAssembly(StreamAssembly):
    """Takes the events of one message."""

    _message: dict[str, Any] | None = None

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._blocks: dict[int, _Block] = {}
        self._past: list[tuple[int, _Block]] = []
        self._usage: dict[str, Any] = {}

    def feed(self, event: dict[str, Any], name: str) -> list[Delta]:
        kind = string(event.get("type")) or name
        if kind == "error" or fault_in(event) is not None:
            raise FaultError(fault_of(event))
        if kind == "message_start":
            self._start(mapping(event.get("message")))
        elif kind == "content_block_start":
            return self._open(event)
        elif kind == "content_block_delta":
            return self._grow(event)
        elif kind == "content_block_stop":
            block = self._blocks.get(index(event.get("index")))
            if block is not None:
                block.finish()
        elif kind == "message_delta":
            self._update(event)
        elif kind == "message_stop":
            self.started = self.ended = self.closed = True
        return []

    def body(self) -> dict[str, Any] | None:
        if not self.started:
            return None
        message = self._message or {"id": None, "type": "message", "role": "assistant"}
        return {
            **message,
            "content": [block.body() for block in self._in_order()],
            "stop_reason": message.get("stop_reason"),
            "usage": self._usage,
        }

    def _start(self, message: dict[str, Any]) -> None:
        """Begin; where a server begins twice, the last beginning counts."""
        self.started = True
        self._message = dict(message)
        self._blocks.clear()
        self._past.clear()
        self._usage = dict(mapping(message.get("usage")))

    def _open(self, event: dict[str, Any]) -> list[Delta]:
        self.started = True
        block = _Block(mapping(event.get("content_block")))
        position = index(event.get("index"))
        if position in self._blocks:  # some proxies give every block the same number
            self._past.append((position, self._blocks[position]))
        self._blocks[position] = block
        return self._shown(block.opening())

    def _grow(self, event: dict[str, Any]) -> list[Delta]:
        delta = mapping(event.get("delta"))
        position = index(event.get("index"))
        opening = _OPENED_BY.get(string(delta.get("type")) or "")
        if opening is None:
            return []
        self.started = True
        block = self._blocks.setdefault(position, _Block(opening))
        block.be(opening)
        self.has_output = True
        return self._shown(block.take(delta))

    def _in_order(self) -> "list[_Block]":
        numbered = [*self._past, *self._blocks.items()]
        return [block for _, block in sorted(numbered, key=lambda one: one[0])]

    def _shown(self, deltas: list[Delta]) -> list[Delta]:
        self.has_output = self.has_output or bool(deltas)
        return deltas

    def _update(self, event: dict[str, Any]) -> None:
        """Overwrite, never add: the figures are running totals."""
        self.started = True
        message = self._message = self._message or {"type": "message", "role": "assistant"}
        message.update(mapping(event.get("delta")))
        usage = mapping(event.get("usage"))
        self._usage.update((name, value) for name, value in usage.items() if value is not None)
        for name, value in event.items():
            if name not in ("type", "delta", "usage") and value is not None:
                message[name] = value


class _Block:
    """One content block."""

    def __init__(self, block: dict[str, Any]) -> None:
        self._block = dict(block)
        self._pieces: dict[str, Pieces] = {}
        self._json: list[str] = []

    def be(self, opening: dict[str, Any]) -> None:
        """Be of the kind that grows so, where nothing said of which kind it is."""
        if not string(self._block.get("type")):
            self._block = {**opening, **self._block, "type": opening["type"]}

    def opening(self) -> list[Delta]:
        """The text that a block brings from its start."""
        deltas: list[Delta] = []
        for name in ("text", "thinking"):
            text = self._block.get(name)
            if isinstance(text, str):
                deltas += self._add(name, text)
        return deltas

    def take(self, delta: dict[str, Any]) -> list[Delta]:
        kind = string(delta.get("type")) or ""
        if kind in _TEXTS:
            text = delta.get(_TEXTS[kind])
            return self._add(_TEXTS[kind], text) if isinstance(text, str) else []
        if kind == "signature_delta":
            self._block["signature"] = delta.get("signature")
        elif kind == "citations_delta":
            self._block["citations"] = [
                *items(self._block.get("citations")),
                delta.get("citation"),
            ]
        elif isinstance(delta.get("partial_json"), str):
            self._json.append(delta["partial_json"])
        return []

    def finish(self) -> None:
        """Read the tool's input; what is not JSON stays the text it is."""
        written = "".join(self._json)
        if written:
            self._json = [written]
            try:
                self._block["input"] = json.loads(written)
            except ValueError:
                self._block["input"] = written

    def body(self) -> dict[str, Any]:
        self.finish()
        texts = {name: pieces.text for name, pieces in self._pieces.items()}
        return {**self._block, **texts}

    def _add(self, name: str, text: str) -> list[Delta]:
        shown = self._pieces.setdefault(name, Pieces()).add(text)
        if not shown:
            return []
        return [Delta(shown, "text" if name == "text" else "reasoning")]
