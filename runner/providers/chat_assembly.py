"""A streamed Chat Completions answer put together into the body that does not stream."""

from collections.abc import Callable, Mapping
from typing import Any

from runner.models import Completion
from runner.providers.assembling import StreamAssembly
from runner.providers.base import Delta
from runner.providers.faults import FaultError, fault_in, fault_in_choices, fault_of
from runner.providers.fields import index, items, joined_text, mapping, objects, string
from runner.providers.surrogates import Pieces

_JOINED = ("content", "refusal", "reasoning_content", "reasoning")
_READ = frozenset({"index", "delta", "message", "logprobs", "finish_reason"})
_PADDING = frozenset({"choices", "usage", "object", "obfuscation"})


class ChatAssembly(StreamAssembly):
    """Takes `chat.completion.chunk` objects."""

    _expected = 1
    _top: dict[str, Any] | None = None
    _usage: dict[str, Any] | None = None
    _choices: dict[int, "_Choice"] | None = None

    def __init__(
        self, read: Callable[[dict[str, Any]], Completion], *, finish_optional: bool = False
    ) -> None:
        """`finish_optional`: this server gives no finish reason; the stream's own end will do."""
        super().__init__(read)
        self._finish_optional = finish_optional

    def feed(self, event: dict[str, Any], name: str) -> list[Delta]:
        chunks = event.get("choices")
        fault = fault_in(event) or fault_in_choices(chunks) or fault_in(event.get("x_groq"))
        usage = mapping(event.get("usage")) or mapping(mapping(event.get("x_groq")).get("usage"))
        if fault is None and (name == "error" or _names_an_error(event)):
            fault = fault_of(event)
        if fault is not None:
            raise FaultError(fault)
        self.started = True
        top = self._top = self._top or {}
        top.update(
            (key, value)
            for key, value in event.items()
            if key not in _PADDING and (value is not None or key not in top)
        )
        self._usage = usage or self._usage
        deltas: list[Delta] = []
        for chunk in objects(chunks):
            deltas += self._take(chunk)
        self.ended = len(self._choices or {}) >= self._expected and self._all_finished()
        self.closed = self.ended and bool(usage) and not items(chunks)
        return deltas

    def expect(self, body: Mapping[str, Any]) -> None:
        self._expected = index(body.get("n"), 1)

    def end(self) -> bool:
        # Many servers know no `n`: then all that began is all there is.
        if self._all_finished() or (self._finish_optional and self.has_output):
            self.ended = True
        return super().end()

    def _all_finished(self) -> bool:
        choices = (self._choices or {}).values()
        return bool(choices) and all(choice.finish for choice in choices)

    def body(self) -> dict[str, Any] | None:
        if self._top is None:
            return None
        choices = sorted((self._choices or {0: _Choice()}).items())
        return {
            "id": None,
            "object": "chat.completion",
            **self._top,
            "choices": [choice.body(position) for position, choice in choices],
            "usage": self._usage,
        }

    def _take(self, chunk: dict[str, Any]) -> list[Delta]:
        position = index(chunk.get("index"))
        self._choices = self._choices or {}
        choice = self._choices.setdefault(position, _Choice())
        shown = choice.take(chunk)
        self.has_output = self.has_output or choice.has_output
        return shown if position == 0 else []


class _Choice:
    """One of the `n` answers."""

    def __init__(self) -> None:
        self.finish: str | None = None
        self.has_output = False
        self._joined: dict[str, Pieces] = {}
        self._other: dict[str, Any] = {}
        self._tools: dict[int, dict[str, Any]] = {}
        self._logprobs: dict[str, list[Any]] = {}
        self._extra: dict[str, Any] = {}

    def take(self, chunk: dict[str, Any]) -> list[Delta]:
        deltas: list[Delta] = []
        for name, value in self._said(chunk).items():
            if name in _JOINED:
                deltas += self._join(name, value)
            elif name == "tool_calls":
                self._take_tools(value)
            else:
                self._take_other(name, value)
        for name, value in mapping(chunk.get("logprobs")).items():
            self._logprobs.setdefault(name, []).extend(items(value))
        for name, value in chunk.items():
            if name not in _READ and value is not None:
                self._extra[name] = value
        self.finish = string(chunk.get("finish_reason")) or self.finish
        return deltas

    def _said(self, chunk: dict[str, Any]) -> dict[str, Any]:
        """The delta; where a server sends its whole answer as one chunk, the message."""
        delta = mapping(chunk.get("delta"))
        return delta if delta or self.has_output else mapping(chunk.get("message"))

    def body(self, position: int) -> dict[str, Any]:
        silent = bool(self._tools or "function_call" in self._other or self._text("refusal"))
        message = {
            "role": "assistant",
            "content": self._text("content") or (None if silent else ""),
            "refusal": self._text("refusal") or None,
            **{name: value for name, value in self._other.items() if value is not None},
        }
        for name in ("reasoning_content", "reasoning"):
            if self._text(name):
                message[name] = self._text(name)
        if self._tools:
            message["tool_calls"] = [tool for _, tool in sorted(self._tools.items())]
        return {
            "index": position,
            "message": message,
            "logprobs": self._logprobs or None,
            "finish_reason": self.finish,
            **self._extra,
        }

    def _text(self, name: str) -> str:
        pieces = self._joined.get(name)
        return pieces.text if pieces else ""

    def _join(self, name: str, value: object) -> list[Delta]:
        piece = joined_text(value) or ""
        shown = self._joined.setdefault(name, Pieces()).add(piece)
        if not shown:
            return []
        self.has_output = True
        if name.startswith("reasoning"):
            return [Delta(shown, "reasoning")]
        return [] if name == "refusal" and self._text("content") else [Delta(shown)]

    def _take_other(self, name: str, value: object) -> None:
        held = self._other.get(name)
        if name == "function_call":
            if isinstance(value, dict):
                _merge_function(self._other.setdefault(name, {}), value)
        elif isinstance(value, list) and isinstance(held, list):
            self._other[name] = held + value
        elif value is not None or name not in self._other:
            self._other[name] = value

    def _take_tools(self, value: object) -> None:
        for call in objects(value):
            self.has_output = True
            tool = self._tools.setdefault(index(call.get("index"), self._place(call)), {})
            for name, part in call.items():
                if name in ("function", "custom"):
                    _merge_function(tool.setdefault(name, {}), mapping(part))
                elif name != "index" and part is not None:
                    tool[name] = part

    def _place(self, call: dict[str, Any]) -> int:
        """Where a call without an index belongs: a new id begins a new one, else the last grows."""
        name = string(call.get("id"))
        last = max(self._tools, default=-1)
        begins = name is not None and name != self._tools.get(last, {}).get("id")
        return last + 1 if begins or last < 0 else last


def _merge_function(function: dict[str, Any], part: dict[str, Any]) -> None:
    for name, value in part.items():
        if name in ("arguments", "input") and isinstance(value, str):
            begun = function.get(name)
            function[name] = (begun if isinstance(begun, str) else "") + value
        elif value is not None:
            function[name] = value


def _names_an_error(event: dict[str, Any]) -> bool:
    told = string(event.get("message")) or string(event.get("detail"))
    return told is not None and event.get("choices") is None and not event.get("usage")
