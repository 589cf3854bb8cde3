"""What one line says, before the options of the run are laid over it."""

from typing import Any, TypeGuard

from msgspec import Raw, Struct

from runner.input.problems import BadLineError
from runner.input.words import quoted
from runner.models import Api

CAPS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""Every name by which an API takes the longest answer."""
SYSTEM_ROLES = ("system", "developer")


class Draft(Struct, kw_only=True):
    """The pieces of a line, told apart by its shape."""

    id: str | None
    """As given; None where the line gives none."""
    messages: list[dict[str, Any]] | None
    params: dict[str, Any] = {}
    system: Any = None
    brings_system: bool = False
    """Whether the line has instructions of its own, by whatever name."""
    max_tokens: int | None = None
    model: str | None = None
    api: Api | None = None
    """None for native jobs and rows. The API of a batch shape bears its provider's name."""
    metadata: Raw | None = None
    files: list[str] = []
    """Names of what is attached, as the line gives them."""


def caps(params: dict[str, Any]) -> bool:
    """Whether parameters name the longest answer."""
    return any(name in params for name in CAPS)


def whole_number(value: Any) -> TypeGuard[int]:
    """Whether this is an integer of at least 1, and no boolean."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def check_messages(value: Any, name: str = "messages") -> list[dict[str, Any]]:
    """Check that this is a conversation. Raises BadLineError."""
    if not isinstance(value, list) or not value:
        raise BadLineError(f"{quoted(name)} must be a list of at least one message")
    for number, message in enumerate(value, 1):
        if not isinstance(message, dict):
            raise BadLineError(f'message {number} must be an object with "role" and "content"')
        if not isinstance(message.get("role"), str):
            raise BadLineError(f'message {number} has no "role" (a string)')
        if "content" not in message and "tool_calls" not in message:
            raise BadLineError(f'message {number} has no "content"')
    return value


def holds_system(messages: Any) -> bool:
    """Whether a conversation, or a list of input items, begins with instructions of its own."""
    return isinstance(messages, list) and any(
        isinstance(message, dict) and message.get("role") in SYSTEM_ROLES for message in messages
    )


def optional_text(line: dict[str, Any], key: str) -> str | None:
    """Give a key's string, or None where the key is missing. Raises BadLineError."""
    value = line.get(key)
    if isinstance(value, str) or (value is None and key not in line):
        return value
    raise BadLineError(f"{quoted(key)} must be a string")


def required_object(line: dict[str, Any], key: str) -> dict[str, Any]:
    """Give a key's object. Raises BadLineError."""
    value = line.get(key)
    if not isinstance(value, dict):
        raise BadLineError(f"{quoted(key)} must be an object")
    return value


def chosen_model(line: dict[str, Any]) -> str | None:
    """Give the model that a line names, or None. Raises BadLineError."""
    model = optional_text(line, "model")
    if model == "":
        raise BadLineError('"model" is empty')
    return model
