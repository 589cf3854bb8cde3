"""Whole bodies mapped to completions: text, finish, usage, and everything odd."""

from typing import Any

import pytest

from runner.models import FinishReason, Usage
from runner.providers.anthropic_messages import read_message
from runner.providers.faults import FaultError
from runner.providers.openai_chat import read_chat
from runner.providers.openai_responses import read_response
from tests.providers.bodies import CHAT, MESSAGE, RESPONSE
from tests.providers.test_bodies import adapter


def chat(message: Any = None, finish: Any = "stop", **more: Any) -> dict[str, Any]:
    """Write a `chat.completion` around a message."""
    return {**CHAT, "choices": [{"index": 0, "message": message, "finish_reason": finish}], **more}


def response(*output: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Write a `response` around its output."""
    return {**RESPONSE, "output": list(output), **more}


def said(*parts: dict[str, Any]) -> dict[str, Any]:
    """Write a message item."""
    return {"type": "message", "content": list(parts)}


CALL = {"id": "t", "type": "function", "function": {"name": "f", "arguments": "{oops"}}
CHATS: list[tuple[dict[str, Any], str | None, FinishReason]] = [
    (chat({"content": "Hi"}), "Hi", "stop"),
    (chat({"content": "Hi"}, "length"), "Hi", "length"),
    (chat({"content": None, "tool_calls": [CALL]}, "tool_calls"), None, "tool_calls"),
    (chat({"content": ""}, "function_call"), "", "tool_calls"),
    (chat({"content": "H"}, "content_filter"), "H", "content_filter"),
    (chat({"content": None, "refusal": "No."}), "No.", "content_filter"),
    (chat({"content": "So", "refusal": "No."}, "length"), "So", "length"),
    (chat({"content": "H"}, "eos"), "H", "other"),
    (chat({"content": "H"}, None), "H", "other"),
    (
        chat({"content": [{"type": "text", "text": "a"}, {"type": "x"}, {"text": "b"}]}),
        "ab",
        "stop",
    ),
    (chat({"content": [{"type": "image"}]}), None, "stop"),
    (chat({"content": 7}), None, "stop"),
    (chat({"content": "a\ud83d"}), "a\ufffd", "stop"),
    (chat(None), None, "stop"),
    ({**CHAT, "choices": [{"index": 1, "message": {}}, CHAT["choices"][0]]}, "Hi", "stop"),
]


@pytest.mark.parametrize(("body", "text", "finish"), CHATS)
def test_chat(body: dict[str, Any], text: str | None, finish: FinishReason) -> None:
    """Chat Completions: choice 0 speaks, refusals count as text, unknown ends are `other`."""
    completion = read_chat(body)
    assert (completion.text, completion.finish_reason) == (text, finish)


TEXT = {"type": "output_text", "text": "Hi"}
REFUSAL = {"type": "refusal", "refusal": "No."}
REASONING = {
    "type": "reasoning",
    "summary": [],
    "content": [{"type": "reasoning_text", "text": "x"}],
}
CUT = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
FILTERED = {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}
RESPONSES: list[tuple[dict[str, Any], str | None, FinishReason]] = [
    (response(said(TEXT)), "Hi", "stop"),
    (response(REASONING, said(TEXT), said(TEXT)), "HiHi", "stop"),
    (response(said(TEXT), {"type": "function_call", "arguments": "{"}), "Hi", "tool_calls"),
    (response({"type": "custom_tool_call"}), None, "tool_calls"),
    (response(said(REFUSAL)), "No.", "content_filter"),
    (response(said(TEXT), **CUT), "Hi", "length"),
    (response(**FILTERED), None, "content_filter"),
    (response(status="incomplete", incomplete_details={"reason": "steered"}), None, "other"),
    (response(said(TEXT), status="new"), "Hi", "other"),
    (response(said({"type": "output_text", "text": None})), None, "stop"),
]


@pytest.mark.parametrize(("body", "text", "finish"), RESPONSES)
def test_response(body: dict[str, Any], text: str | None, finish: FinishReason) -> None:
    """Responses: all text parts are joined; status, details and calls give the finish."""
    completion = read_response(body)
    assert (completion.text, completion.finish_reason) == (text, finish)


@pytest.mark.parametrize(
    ("stop", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("pause_turn", "pause"),
        ("brand_new", "other"),
        (None, "other"),
    ],
)
def test_message_finish(stop: str | None, finish: FinishReason) -> None:
    """Messages: every stop reason has its word."""
    assert read_message({**MESSAGE, "stop_reason": stop}).finish_reason == finish


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab"),
        ([{"type": "thinking", "thinking": "x"}, {"type": "text", "text": "b"}], "b"),
        ([{"type": "tool_use", "input": {}}], None),
        ([], None),
    ],
)
def test_message_text(content: list[Any], text: str | None) -> None:
    """Messages: the text is the join of its text blocks."""
    assert read_message({**MESSAGE, "content": content}).text == text


JUNK: list[Any] = [None, {}, [], "9", {"prompt_tokens": "9", "input_tokens": "9"}, {"total": 1}]


@pytest.mark.parametrize("usage", JUNK)
def test_junk_is_no_usage(usage: Any) -> None:
    """Counts that are missing or no numbers are unknown, never guessed."""
    assert read_chat({**CHAT, "usage": usage}).usage is None
    assert read_response({**RESPONSE, "usage": usage}).usage is None
    assert read_message({**MESSAGE, "usage": usage}).usage is None


def test_chat_usage() -> None:
    """Chat details lie inside the totals; a missing total is the sum."""
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    assert read_chat({**CHAT, "usage": usage}).usage == Usage(
        input_tokens=9,
        output_tokens=5,
        cached_input_tokens=4,
        cache_write_tokens=2,
        reasoning_tokens=3,
        total_tokens=14,
    )


def test_half_a_usage() -> None:
    """A count that is known stays, one that is not is null, and no sum is made up."""
    usage = read_chat({**CHAT, "usage": {"prompt_tokens": 9, "completion_tokens": True}}).usage
    assert usage == Usage(input_tokens=9)


def test_response_usage() -> None:
    """Responses usage maps its own names."""
    usage = {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 14,
    }
    assert read_response({**RESPONSE, "usage": usage}).usage == Usage(
        input_tokens=9,
        output_tokens=5,
        cached_input_tokens=4,
        reasoning_tokens=3,
        total_tokens=14,
    )


def test_message_usage() -> None:
    """Messages input is what was fresh plus what the cache read and wrote."""
    usage = {
        "input_tokens": 9,
        "cache_creation_input_tokens": 20,
        "cache_read_input_tokens": 300,
        "output_tokens": 5,
        "output_tokens_details": {"thinking_tokens": 2},
    }
    assert read_message({**MESSAGE, "usage": usage}).usage == Usage(
        input_tokens=329,
        output_tokens=5,
        cached_input_tokens=300,
        cache_write_tokens=20,
        reasoning_tokens=2,
        total_tokens=334,
    )


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        ({"status": "failed", "error": {"code": "c", "message": "m"}}, "m", "c"),
        ({"status": "failed", "error": None}, None, None),
        ({"status": "cancelled"}, "the provider cancelled the response", None),
    ],
)
def test_response_that_is_no_answer(
    body: dict[str, Any], message: str | None, code: str | None
) -> None:
    """A response that failed under HTTP 200 is an error."""
    with pytest.raises(FaultError) as caught:
        adapter("openai-responses").read({**RESPONSE, **body})
    assert (caught.value.fault.message, caught.value.fault.code) == (message, code)


def test_background_response_is_refused() -> None:
    """Work that goes on in the background is not waited for, and that is said for good."""
    with pytest.raises(FaultError, match="background") as caught:
        adapter("openai-responses").read({**RESPONSE, "status": "queued"})
    assert caught.value.fault.status == 400
