"""A streamed Responses answer: the terminal event's own `response`, or what came before a cut.

Events are told apart by their `type`, never by an SDK's classes, which guess for unknown ones.
"""

from typing import Any

from runner.providers.assembling import StreamAssembly
from runner.providers.base import Delta
from runner.providers.faults import FaultError, fault_in, fault_of
from runner.providers.fields import index, mapping, objects, string
from runner.providers.surrogates import Pieces

_BEGINNINGS = frozenset({"response.created", "response.queued", "response.in_progress"})
_ENDS = frozenset({"response.completed", "response.incomplete"})
_OVER = frozenset({"completed", "incomplete", "cancelled"})
_TEXTS = {"response.output_text": "output_text", "response.refusal": "refusal"}
_REASONINGS = {
    "response.reasoning_summary_text": "summary_text",
    "response.reasoning_text": "reasoning_text",
}
_ARGUMENTS = {
    "response.function_call_arguments": "arguments",
    "response.custom_tool_call_input": "input",
}
_FIELDS = {"refusal": "refusal"}
_EMPTY_ITEMS: dict[str, dict[str, Any]] = {
    "output_text": {"type": "message", "role": "assistant", "status": "in_progress"},
    "refusal": {"type": "message", "role": "assistant", "status": "in_progress"},
    "summary_text": {"type": "reasoning"},
    "reasoning_text": {"type": "reasoning"},
    "arguments": {"type": "function_call", "status": "in_progress"},
    "input": {"type": "custom_tool_call", "status": "in_progress"},
}


class ResponsesAssembly(StreamAssembly):
    """Takes the named events of one response."""

    _response: dict[str, Any] | None = None

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._items: dict[int, dict[str, Any]] = {}
        self._done: set[int] = set()
        self._pieces: dict[tuple[int, int, str], Pieces] = {}
        self._shown = Pieces()

    def feed(self, event: dict[str, Any], name: str) -> list[Delta]:
        kind = string(event.get("type")) or name
        response = mapping(event.get("response"))
        if kind == "response.failed" or response.get("status") in ("failed", "cancelled"):
            self._response = response or self._response  # its token counts are nowhere else
            self.started = self.started or bool(response.get("usage") or response.get("output"))
        if kind in ("error", "response.failed") or response.get("status") == "failed":
            raise FaultError(fault_of(response or event))
        fault = fault_in(event)
        if fault is not None:
            raise FaultError(fault)
        subject, _, verb = kind.rpartition(".")
        if kind in _BEGINNINGS or kind in _ENDS:
            self._response = response or self._response or {}
            if kind in _ENDS and response.get("status") not in _OVER:
                self._response = {**self._response, "status": kind.removeprefix("response.")}
            self.started = True
            if kind in _ENDS:
                return self._end()
        elif subject == "response.output_item":
            self._take_item(event, done=verb == "done")
        elif verb in ("delta", "done"):
            return self._take_text(subject, event, done=verb == "done")
        return []

    def body(self) -> dict[str, Any] | None:
        if not self.started:
            return None
        response = self._response or {"id": None, "object": "response", "status": "in_progress"}
        if self.ended and response.get("output"):
            return response
        positions = sorted({*self._items, *(key[0] for key in self._pieces)})
        return {**response, "output": [self._item(position) for position in positions]}

    def _end(self) -> list[Delta]:
        """Close; what the whole text has beyond what was streamed is shown now."""
        self.ended = self.closed = True
        body = self.body() or {}
        whole, shown = self._read(body).text or "", self._shown.text
        return self._show(whole.removeprefix(shown)) if whole.startswith(shown) else []

    def _take_item(self, event: dict[str, Any], *, done: bool) -> None:
        position = index(event.get("output_index"), len(self._items))
        self.started = True
        self._items[position] = mapping(event.get("item"))
        if done:
            self._done.add(position)
            self.has_output = True

    def _take_text(self, subject: str, event: dict[str, Any], *, done: bool) -> list[Delta]:
        part = _TEXTS.get(subject) or _REASONINGS.get(subject) or _ARGUMENTS.get(subject)
        if part is None:
            return []
        key = (index(event.get("output_index")), _part_index(event), part)
        pieces = self._pieces.setdefault(key, Pieces())
        self.started = True
        text = event.get("delta")
        if done:
            whole = string(event.get(_FIELDS.get(part, part if part in _ARGUMENTS else "text")))
            text = whole.removeprefix(pieces.text) if whole else None
            if whole and not whole.startswith(pieces.text):
                text = None
        begins = not pieces.text
        added = pieces.add(text) if isinstance(text, str) else ""
        self.has_output = self.has_output or bool(added)
        if part in _REASONINGS.values():
            # Each part of a summary is a paragraph with a heading of its own.
            apart = "\n\n" if begins and key[1] else ""
            return [Delta(apart + added, "reasoning")] if added else []
        return self._show(added) if part in _TEXTS.values() else []

    def _show(self, text: str) -> list[Delta]:
        shown = self._shown.add(text)
        return [Delta(shown)] if shown else []

    def _item(self, position: int) -> dict[str, Any]:
        item = self._items.get(position)
        if item is not None and position in self._done:
            return item
        parts = sorted((key[1:], text) for key, text in self._texts() if key[0] == position)
        names = [name for (_, name), _ in parts]
        item = dict(item or (_EMPTY_ITEMS[names[0]] if names else {}))
        for (_, name), text in parts:
            if name in ("arguments", "input"):
                item[name] = text
        content = [_part(name, text) for (_, name), text in parts if name in _CONTENT]
        summary = [_part(name, text) for (_, name), text in parts if name == "summary_text"]
        if content or item.get("type") == "message":
            item["content"] = content or objects(item.get("content"))
        if summary:
            item["summary"] = summary
        return item

    def _texts(self) -> list[tuple[tuple[int, int, str], str]]:
        return [(key, pieces.text) for key, pieces in self._pieces.items()]


_CONTENT = frozenset({"output_text", "refusal", "reasoning_text"})


def _part(name: str, text: str) -> dict[str, Any]:
    if name == "output_text":
        return {"type": name, "text": text, "annotations": []}
    return {"type": name, _FIELDS.get(name, "text"): text}


def _part_index(event: dict[str, Any]) -> int:
    return index(event.get("content_index"), index(event.get("summary_index")))
