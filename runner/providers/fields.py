"""Careful looks into JSON of unknown make: the right type or nothing."""

from typing import Any

_MOST = 10**15
"""No answer has more tokens; who says so says nothing."""


def mapping(value: object) -> dict[str, Any]:
    """The object itself, or an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """The list itself, or an empty one."""
    return value if isinstance(value, list) else []


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a list; whatever else it holds is passed over."""
    return [item for item in items(value) if isinstance(item, dict)]


def string(value: object) -> str | None:
    """The string itself; None for everything else, and for an empty one."""
    return value if isinstance(value, str) and value else None


def count(value: object) -> int | None:
    """A number of tokens; None for everything that is not one, such as a string."""
    return value if type(value) is int and 0 <= value <= _MOST else None


def index(value: object, default: int = 0) -> int:
    """A position in a list; `default` where there is none."""
    return value if type(value) is int else default


def joined_text(content: object) -> str | None:
    """The text of a message's content: a string, a part, or a list of parts; None if none came."""
    if isinstance(content, str):
        return content
    parts = [content] if isinstance(content, dict) else objects(content)
    texts = [text for text in (part.get("text") for part in parts) if isinstance(text, str)]
    return "".join(texts) if texts else None
