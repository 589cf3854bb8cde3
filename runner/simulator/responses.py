"""Responses: the response object. Its events are in `responses_events`."""

from typing import Any

from runner.simulator.answers import Answer
from runner.simulator.ask import Ask
from runner.simulator.errors import ApiError
from runner.simulator.shapes import Stamp, tier

_ECHOED: dict[str, Any] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
_ERROR_CODES = {429: "rate_limit_exceeded", 400: "invalid_prompt"}


def body(ask: Ask, answers: list[Answer], stamp: Stamp) -> dict[str, Any]:
    """Make a response that has ended."""
    answer = answers[0]
    reason = _INCOMPLETE.get(answer.finish)
    return {
        **skeleton(ask, stamp),
        "status": "incomplete" if reason else "completed",
        "completed_at": None if reason else stamp.created,
        "incomplete_details": {"reason": reason} if reason else None,
        "output": items(answer, stamp),
        "usage": _usage(ask, answer),
    }


def failed_body(ask: Ask, error: ApiError, stamp: Stamp) -> dict[str, Any]:
    """Make a response that failed, as it comes under HTTP 200."""
    code = _ERROR_CODES.get(error.status, "server_error")
    return {
        **skeleton(ask, stamp),
        "status": "failed",
        "error": {"code": code, "message": error.message},
    }


def skeleton(ask: Ask, stamp: Stamp) -> dict[str, Any]:
    """Make a response that has just begun."""
    given = ask.body
    echoed = {
        key: default if given.get(key) is None else given[key] for key, default in _ECHOED.items()
    }
    tools = given.get("tools") or []
    return {
        "id": f"resp_{stamp.serial}",
        "object": "response",
        "created_at": stamp.created,
        "status": "in_progress",
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "model": ask.model,
        "output": [],
        "reasoning": {"effort": None, "summary": None, **(given.get("reasoning") or {})},
        "service_tier": tier(ask),
        "text": {"format": {"type": "text"}, "verbosity": "medium", **(given.get("text") or {})},
        "tools": [
            {"description": None, "parameters": None, "strict": True, **tool}
            if tool.get("type") == "function"
            else tool
            for tool in tools
        ],
        "usage": None,
        **echoed,
    }


def items(answer: Answer, stamp: Stamp) -> list[dict[str, Any]]:
    """Make the output items of an answer that has ended."""
    found = []
    if answer.reasoning:
        summary = [{"type": "summary_text", "text": "".join(answer.reasoning)}]
        found.append({"id": f"rs_{stamp.serial}", "type": "reasoning", "summary": summary})
    if answer.tool or answer.text or not answer.reasoning:
        found.append(_call(answer, stamp) if answer.tool else _message(answer, stamp))
    return found


def part(answer: Answer, text: str) -> dict[str, Any]:
    """Make the content part that holds `text`."""
    if answer.finish == "refusal":
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _item_status(answer: Answer) -> str:
    return "incomplete" if answer.finish in _INCOMPLETE else "completed"


def _call(answer: Answer, stamp: Stamp) -> dict[str, Any]:
    assert answer.tool is not None  # noqa: S101 - told by the only caller
    return {
        "id": f"fc_{stamp.serial}",
        "type": "function_call",
        "status": _item_status(answer),
        "call_id": f"call_{stamp.serial}",
        "name": answer.tool.name,
        "arguments": "".join(answer.tool.arguments),
    }


def _message(answer: Answer, stamp: Stamp) -> dict[str, Any]:
    return {
        "id": f"msg_{stamp.serial}",
        "type": "message",
        "status": _item_status(answer),
        "role": "assistant",
        "content": [part(answer, "".join(answer.text))],
    }


def _usage(ask: Ask, answer: Answer) -> dict[str, Any]:
    return {
        "input_tokens": ask.input_tokens,
        "input_tokens_details": {
            "cached_tokens": ask.cache.read,
            "cache_write_tokens": ask.cache.written,
        },
        "output_tokens": answer.tokens,
        "output_tokens_details": {"reasoning_tokens": len(answer.reasoning)},
        "total_tokens": ask.input_tokens + answer.tokens,
    }
