"""Answers in each API's own shape."""

from typing import Any

CHAT: dict[str, Any] = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "m-1",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
}
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "model": "m-1",
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "output": [
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
        }
    ],
    "usage": {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11},
}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m-1",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 9, "output_tokens": 2},
}
WHOLE: dict[str, dict[str, Any]] = {
    "openai": CHAT,
    "openai-responses": RESPONSE,
    "anthropic": MESSAGE,
}


def chunk(delta: dict[str, Any] | None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """Write one `chat.completion.chunk`."""
    choice = {"index": more.pop("index", 0), "delta": delta, "finish_reason": finish}
    top = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m-1"}
    return {**top, "choices": [choice], **more}


CHAT_USAGE: dict[str, Any] = {**chunk({}), "choices": [], "usage": CHAT["usage"]}
CHAT_EVENTS: list[dict[str, Any]] = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "H"}),
    chunk({"content": "i"}),
    chunk({}, "stop"),
    CHAT_USAGE,
]
RESPONSE_EVENTS: list[dict[str, Any]] = [
    {
        "type": "response.created",
        "response": {**RESPONSE, "status": "in_progress", "output": [], "usage": None},
    },
    {
        "type": "response.output_item.added",
        "output_index": 0,
        "item": {"id": "msg_1", "type": "message", "role": "assistant", "content": []},
    },
    {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "H"},
    {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "i"},
    {"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": "Hi"},
    {"type": "response.completed", "response": RESPONSE},
]
MESSAGE_EVENTS: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": {
            **MESSAGE,
            "content": [],
            "stop_reason": None,
            "usage": {"input_tokens": 9, "output_tokens": 1},
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "H"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "i"}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 2},
    },
    {"type": "message_stop"},
]
STREAMED: dict[str, list[dict[str, Any]]] = {
    "openai": CHAT_EVENTS,
    "openai-responses": RESPONSE_EVENTS,
    "anthropic": MESSAGE_EVENTS,
}
