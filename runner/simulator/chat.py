"""Chat Completions: bodies and chunks. Knows nothing of HTTP, time or faults."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from typing import Any

from runner.simulator.answers import Answer, ToolCall
from runner.simulator.ask import Ask
from runner.simulator.errors import ApiError
from runner.simulator.scenario import ErrorEventForm
from runner.simulator.shapes import Stamp, tier
from runner.simulator.sse import DONE, Piece, padding, plain_event

_FINISH = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "refusal": "stop",
    "content_filter": "content_filter",
    "pause": "stop",
}
_FINGERPRINT = "fp_simulator"


def body(ask: Ask, answers: list[Answer], stamp: Stamp) -> dict[str, Any]:
    """Make a `chat.completion`."""
    return {
        **_head(ask, stamp, "chat.completion"),
        "choices": [
            {
                "index": index,
                "message": _message(answer, _call_id(stamp, index)),
                "logprobs": None,
                "finish_reason": _FINISH[answer.finish],
            }
            for index, answer in enumerate(answers)
        ],
        "usage": _usage(ask, answers),
    }


def failed_body(ask: Ask, error: ApiError, stamp: Stamp) -> None:  # noqa: ARG001 - one signature for the three APIs
    """Say that a failure here has an HTTP status of its own."""
    return


@dataclass(frozen=True, slots=True)
class ChatStream:
    """The chunks of one answer."""

    ask: Ask
    answers: list[Answer]
    stamp: Stamp

    def pieces(self) -> Iterator[Piece]:
        """Write all choices side by side, then the usage if asked for."""
        lanes = [self._lane(index, answer) for index, answer in enumerate(self.answers)]
        yield from merge(*lanes, key=_place)
        if self.ask.include_usage:
            last = {**self._head(), "choices": [], "usage": _usage(self.ask, self.answers)}
            yield Piece(plain_event(last))
        yield Piece(DONE)

    def error(self, error: ApiError, form: ErrorEventForm) -> bytes:  # noqa: ARG002 - Chat has one form only
        """Write the error as an event of its own."""
        return plain_event({"error": error.openai()})

    def _head(self) -> dict[str, Any]:
        return _head(self.ask, self.stamp, "chat.completion.chunk")

    def _lane(self, index: int, answer: Answer) -> Iterator[Piece]:
        yield self._chunk(index, _opening(answer))
        due = 0
        for field, texts in _texts(answer):
            for text in texts:
                yield self._chunk(index, {field: text}, due, delta=True)
                due += 1
        if answer.tool:
            call = _call_start(answer.tool, _call_id(self.stamp, index))
            yield self._chunk(index, {"tool_calls": [call]}, due)
            for text in answer.tool.arguments:
                part = {"index": 0, "function": {"arguments": text}}
                yield self._chunk(index, {"tool_calls": [part]}, due, delta=True)
                due += 1
        yield self._chunk(index, {}, max(due - 1, 0), finish=_FINISH[answer.finish])

    def _chunk(
        self,
        index: int,
        change: dict[str, Any],
        due: int = 0,
        *,
        delta: bool = False,
        finish: str | None = None,
    ) -> Piece:
        choice = {"index": index, "delta": change, "logprobs": None, "finish_reason": finish}
        chunk = {**self._head(), "choices": [choice]}
        if self.ask.include_usage:
            chunk["usage"] = None
        if self.ask.obfuscate:
            chunk["obfuscation"] = padding(str(change.get("content", "")))
        return Piece(plain_event(chunk), due, delta)


def stream(ask: Ask, answers: list[Answer], stamp: Stamp) -> ChatStream:
    """Begin a streamed answer."""
    return ChatStream(ask, answers, stamp)


def _head(ask: Ask, stamp: Stamp, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{stamp.serial}",
        "object": kind,
        "created": stamp.created,
        "model": ask.model,
        "service_tier": tier(ask),
        "system_fingerprint": _FINGERPRINT,
    }


def _call_id(stamp: Stamp, index: int) -> str:
    return f"call_{stamp.serial}{index}"


def _call_start(tool: ToolCall, call_id: str) -> dict[str, Any]:
    function = {"name": tool.name, "arguments": ""}
    return {"index": 0, "id": call_id, "type": "function", "function": function}


def _texts(answer: Answer) -> tuple[tuple[str, tuple[str, ...]], ...]:
    field = "refusal" if answer.finish == "refusal" else "content"
    return ("reasoning_content", answer.reasoning), (field, answer.text)


def _place(piece: Piece) -> int:
    return piece.due or 0


def _opening(answer: Answer) -> dict[str, Any]:
    spoken = answer.tool is None and answer.finish != "refusal"
    return {"role": "assistant", "content": "" if spoken else None, "refusal": None}


def _message(answer: Answer, call_id: str) -> dict[str, Any]:
    text = "".join(answer.text)
    refused = answer.finish == "refusal"
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if refused or answer.tool else text,
        "refusal": text if refused else None,
        "annotations": [],
    }
    if answer.reasoning:
        message["reasoning_content"] = "".join(answer.reasoning)
    if answer.tool:
        function = {"name": answer.tool.name, "arguments": "".join(answer.tool.arguments)}
        message["tool_calls"] = [{"id": call_id, "type": "function", "function": function}]
    return message


def _usage(ask: Ask, answers: list[Answer]) -> dict[str, Any]:
    output = sum(answer.tokens for answer in answers)
    return {
        "prompt_tokens": ask.input_tokens,
        "completion_tokens": output,
        "total_tokens": ask.input_tokens + output,
        "prompt_tokens_details": {
            "cached_tokens": ask.cache.read,
            "cache_write_tokens": ask.cache.written,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": sum(len(answer.reasoning) for answer in answers),
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
