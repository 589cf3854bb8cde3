"""The prompt of a request that was kept, whatever API it was made for, as plain text."""

from typing import Any

import msgspec
from msgspec import Raw


def question(request: Raw) -> str:
    """Give the texts of a request body, one part a line; other parts are named in brackets."""
    body = msgspec.json.decode(request)
    if not isinstance(body, dict):
        return ""
    systems = (body.get("system"), body.get("instructions"))
    parts = [f"system: {_text(system)}" for system in systems if system]
    asked = body.get("messages", body.get("input"))
    if isinstance(asked, list):
        parts += [_message(item) for item in asked]
    elif asked is not None:
        parts.append(f"user: {_text(asked)}")
    return "\n".join(parts)


def _message(item: Any) -> str:
    if not isinstance(item, dict):
        return _text(item)
    who = item.get("role") or item.get("type") or "item"
    return f"{who}: {_text(item.get('content'))}"


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return " ".join(_part(part) for part in content)
    return "" if content is None else "[...]"


def _part(part: Any) -> str:
    if isinstance(part, dict):
        if isinstance(part.get("text"), str):
            return str(part["text"])
        return f"[{part.get('type', 'part')}]"
    return str(part)
