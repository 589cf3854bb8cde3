"""Refuses messages that the real APIs refuse: roles, content types, empty lists."""

from typing import Any

from runner.simulator import parameters as known
from runner.simulator.ask import Api
from runner.simulator.errors import ApiError
from runner.simulator.strict_cache import check_cache_marks
from runner.simulator.strict_files import check_block, check_chat_file, check_responses_file


def check_messages(api: Api, body: dict[str, Any], *, current: bool) -> None:
    """Check the conversation of a body whose parameters are of the right types.

    `current` says whether Anthropic's version 2026-10-21 or a later one was asked for.

    Raises:
        ApiError: 400.
    """
    if api == "chat":
        _check_chat(body["messages"])
    elif api == "responses":
        _check_input(body.get("input", ""))
    else:
        _check_anthropic(body, current=current)
        check_cache_marks(body)


def _check_chat(messages: list[Any]) -> None:
    if not messages:
        raise _bad("messages", "empty array; at least one message is needed", "empty_array")
    for index, message in enumerate(messages):
        place = f"messages[{index}]"
        _check_object(place, message)
        _check_choice(f"{place}.role", message.get("role"), known.CHAT_PARTS)
        for key in message:
            if key not in known.CHAT_MESSAGE_KEYS:
                place = f"{place}.{key}"
                raise _openai(f"Unknown parameter: '{place}'.", "unknown_parameter", place)
        role = message["role"]
        called = role == "assistant" and any(
            message.get(key) for key in ("tool_calls", "function_call", "audio", "refusal")
        )
        if role == "tool" and "tool_call_id" not in message:
            raise _needed(f"{place}.tool_call_id")
        if message.get("content") is None and not called:
            raise _needed(f"{place}.content")
        _check_parts(f"{place}.content", message.get("content"), known.CHAT_PARTS[role])


def _check_input(items: Any) -> None:
    if isinstance(items, str):
        return
    if not items:
        raise _bad("input", "empty array; at least one item is needed", "empty_array")
    for index, item in enumerate(items):
        place = f"input[{index}]"
        _check_object(place, item)
        kind = item.get("type", "message")
        _check_choice(f"{place}.type", kind, known.RESPONSES_ITEMS)
        if kind == "message":
            _check_choice(f"{place}.role", item.get("role"), known.RESPONSES_PARTS)
            if item.get("content") is None:
                raise _needed(f"{place}.content")
            allowed = known.RESPONSES_PARTS[item["role"]]
            _check_parts(f"{place}.content", item["content"], allowed)


def _check_parts(place: str, content: Any, allowed: tuple[str, ...]) -> None:
    if content is None or isinstance(content, str):
        return
    if not isinstance(content, list):
        problem = f"expected a string or an array, but got {known.json_type(content)} instead"
        raise _bad(place, problem, "invalid_type")
    for index, part in enumerate(content):
        _check_object(f"{place}[{index}]", part)
        _check_choice(f"{place}[{index}].type", part.get("type"), allowed)
        if part["type"] in {"text", "input_text", "output_text"}:
            _check_text(f"{place}[{index}].text", part.get("text"))
        check_chat_file(f"{place}[{index}]", part)
        check_responses_file(f"{place}[{index}]", part)


def _check_text(place: str, text: Any) -> None:
    if not isinstance(text, str):
        raise _bad(
            place, f"expected a string, but got {known.json_type(text)} instead", "invalid_type"
        )


def _check_object(place: str, value: Any) -> None:
    if not isinstance(value, dict):
        problem = f"expected an object, but got {known.json_type(value)} instead"
        raise _bad(place, problem, "invalid_type")


def _check_choice(place: str, value: Any, allowed: Any) -> None:
    if value is None:
        raise _needed(place)
    if not isinstance(value, str) or value not in allowed:
        supported = ", ".join(repr(choice) for choice in allowed)
        raise _bad(place, f"{value!r}; supported values are: {supported}", "invalid_value")


def _check_anthropic(body: dict[str, Any], *, current: bool) -> None:
    if not body["messages"]:
        raise ApiError(400, "messages: at least one message is required")
    system = body.get("system")
    if isinstance(system, list):
        _check_blocks("system", system, ("text",))
    for index, message in enumerate(body["messages"]):
        place = f"messages.{index}"
        _need_dict(place, message)
        for key in message:
            if key not in {"role", "content"}:
                raise ApiError(400, f"{place}.{key}: Extra inputs are not permitted")
        _check_role(f"{place}.role", message.get("role"), current=current)
        content = message.get("content")
        if isinstance(content, list):
            _check_blocks(f"{place}.content", content, known.MESSAGES_BLOCKS)
            _check_moved_blocks(f"{place}.content", message, current=current)
            for at, block in enumerate(content):
                check_block(f"{place}.content.{at}", block)
        elif not isinstance(content, str):
            raise ApiError(400, f"{place}.content: Input should be a string or a list")
        last = index == len(body["messages"]) - 1
        if not content and not (last and message["role"] == "assistant"):
            raise ApiError(400, f"{place}: all messages must have non-empty content")


def _check_role(place: str, role: Any, *, current: bool) -> None:
    allowed = known.MESSAGES_ROLES if current else ("user", "assistant")
    if role not in allowed:
        supported = " or ".join(repr(choice) for choice in allowed)
        raise ApiError(400, f"{place}: Input should be {supported}")


def _check_blocks(place: str, blocks: list[Any], allowed: tuple[str, ...]) -> None:
    for index, block in enumerate(blocks):
        here = f"{place}.{index}"
        _need_dict(here, block)
        kind = block.get("type")
        if kind not in allowed:
            raise ApiError(400, f"{here}.type: {kind!r} is not one of {', '.join(allowed)}")
        if kind == "text" and not isinstance(block.get("text"), str):
            raise ApiError(400, f"{here}.text: Input should be a valid string")
        if kind == "text" and not block["text"]:
            raise ApiError(400, f"{here}: text content blocks must be non-empty")


def _check_moved_blocks(place: str, message: dict[str, Any], *, current: bool) -> None:
    """Refuse what version 2026-10-21 took out of messages."""
    if not current:
        return
    for index, block in enumerate(message["content"]):
        if message["role"] == "assistant" and block["type"] == "document":
            raise ApiError(400, f"{place}.{index}: document blocks are not allowed here")
        if message["role"] == "user" and block["type"] == "text" and block.get("citations"):
            raise ApiError(400, f"{place}.{index}.citations: not allowed on user text blocks")


def _need_dict(place: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise ApiError(400, f"{place}: Input should be an object")


def _openai(message: str, code: str, param: str) -> ApiError:
    return ApiError(400, message, code=code, param=param)


def _needed(place: str) -> ApiError:
    message = f"Missing required parameter: '{place}'."
    return _openai(message, "missing_required_parameter", place)


def _bad(place: str, problem: str, code: str) -> ApiError:
    return _openai(f"Invalid value for '{place}': {problem}.", code, place)
