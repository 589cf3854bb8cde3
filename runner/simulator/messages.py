"""Messages: Anthropic's bodies and events. Knows nothing of HTTP, time or faults."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from runner.simulator.answers import Answer
from runner.simulator.ask import Ask
from runner.simulator.errors import ApiError
from runner.simulator.scenario import ErrorEventForm
from runner.simulator.shapes import Stamp
from runner.simulator.sse import Piece, named_event

_STOP = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "refusal": "refusal",
    "content_filter": "refusal",
    "pause": "pause_turn",
}
_SIGNATURE = "c2ltdWxhdG9y"
_REFUSED = {
    "type": "refusal",
    "category": None,
    "explanation": "The simulator was told to refuse this request.",
}


def body(ask: Ask, answers: list[Answer], stamp: Stamp) -> dict[str, Any]:
    """Make a whole `message`."""
    answer = answers[0]
    return {**_head(ask, stamp), **_ending(answer), "content": _content(answer, stamp)} | {
        "usage": _usage(ask, answer.tokens, len(answer.reasoning))
    }


def failed_body(ask: Ask, error: ApiError, stamp: Stamp) -> None:  # noqa: ARG001 - one signature for the three APIs
    """Say that a failure here has an HTTP status of its own."""
    return


@dataclass(frozen=True, slots=True)
class MessageStream:
    """The events of one message."""

    ask: Ask
    answer: Answer
    stamp: Stamp

    def pieces(self) -> Iterator[Piece]:
        """Write the opening, each block with its deltas, and the ending with the usage."""
        start = {"type": "message_start", "message": self._start()}
        yield Piece(named_event(start))
        due = 0
        for index, block in enumerate(_content(self.answer, self.stamp)):
            opening = {**block, **_EMPTY[block["type"]]}
            yield _event("content_block_start", index, content_block=opening)
            if not index:
                yield Piece(named_event({"type": "ping"}))
            for change in self._changes(block["type"]):
                yield _event("content_block_delta", index, due, delta=change)
                due += 1
            if block["type"] == "thinking":
                signature = {"type": "signature_delta", "signature": _SIGNATURE}
                yield _event("content_block_delta", index, delta=signature)
            yield _event("content_block_stop", index)
        usage = _usage(self.ask, self.answer.tokens, len(self.answer.reasoning))
        for key in ("cache_creation", "service_tier", "inference_geo"):
            usage.pop(key)
        ending = {"type": "message_delta", "delta": _ending(self.answer), "usage": usage}
        yield Piece(named_event(ending))
        yield Piece(named_event({"type": "message_stop"}))

    def error(self, error: ApiError, form: ErrorEventForm) -> bytes:  # noqa: ARG002 - Messages has one form only
        """Write the `error` event."""
        return named_event(error.body("messages", f"req_{self.stamp.serial}"))

    def _start(self) -> dict[str, Any]:
        head = _head(self.ask, self.stamp)
        return {**head, "content": [], "usage": _usage(self.ask, 1, 0)}

    def _changes(self, block: str) -> Iterator[dict[str, Any]]:
        if block == "thinking":
            yield from ({"type": "thinking_delta", "thinking": t} for t in self.answer.reasoning)
        elif block == "text":
            yield from ({"type": "text_delta", "text": text} for text in self.answer.text)
        elif self.answer.tool:
            for piece in self.answer.tool.arguments:
                yield {"type": "input_json_delta", "partial_json": piece}


_EMPTY: dict[str, dict[str, Any]] = {
    "thinking": {"thinking": "", "signature": ""},
    "text": {"text": ""},
    "tool_use": {"input": {}},
}


def stream(ask: Ask, answers: list[Answer], stamp: Stamp) -> MessageStream:
    """Begin a streamed answer."""
    return MessageStream(ask, answers[0], stamp)


def _event(name: str, index: int, due: int | None = None, **fields: Any) -> Piece:
    data = named_event({"type": name, "index": index, **fields})
    return Piece(data, due, delta=due is not None)


def _head(ask: Ask, stamp: Stamp) -> dict[str, Any]:
    return {
        "id": f"msg_{stamp.serial}",
        "type": "message",
        "role": "assistant",
        "model": ask.model,
        "container": None,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
    }


def _ending(answer: Answer) -> dict[str, Any]:
    stopped = answer.stop_sequence is not None and answer.finish == "stop"
    reason = _STOP[answer.finish]
    return {
        "stop_reason": "stop_sequence" if stopped else reason,
        "stop_sequence": answer.stop_sequence,
        "stop_details": _REFUSED if reason == "refusal" else None,
    }


def _content(answer: Answer, stamp: Stamp) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if answer.reasoning:
        thought = "".join(answer.reasoning)
        blocks.append({"type": "thinking", "thinking": thought, "signature": _SIGNATURE})
    if answer.text:
        blocks.append({"type": "text", "text": "".join(answer.text), "citations": None})
    if answer.tool:
        tool_id = f"toolu_{stamp.serial}"
        given = _input(answer.tool.arguments)
        blocks.append({"type": "tool_use", "id": tool_id, "name": answer.tool.name, "input": given})
    return blocks


def _input(pieces: tuple[str, ...]) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads("".join(pieces))
    except ValueError:
        return {}  # cut off at the token limit
    return value


def _usage(ask: Ask, output: int, thinking: int) -> dict[str, Any]:
    cache = ask.cache
    return {
        "input_tokens": ask.input_tokens - cache.read - cache.written,
        "cache_creation_input_tokens": cache.written,
        "cache_read_input_tokens": cache.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": cache.written - cache.written_for_an_hour,
            "ephemeral_1h_input_tokens": cache.written_for_an_hour,
        },
        "output_tokens": output,
        "output_tokens_details": {"thinking_tokens": thinking},
        "service_tier": "standard",
        "inference_geo": "not_available",
    }
