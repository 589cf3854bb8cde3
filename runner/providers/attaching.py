"""Files put into a conversation, in each API's own form. Reads them: not for the event loop."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from runner.errors import ProviderError
from runner.models import Api, Attachment
from runner.words import printable

Part = dict[str, Any]
_PDF, _TEXT = "application/pdf", "text/plain"


def attached(
    messages: Sequence[dict[str, Any]], files: Sequence[Attachment], api: Api
) -> list[dict[str, Any]]:
    """Put files into the last message of the user, before its words, as both vendors advise.

    Raises ProviderError where a file is not any more what it was when the job was checked.
    """
    at = max(n for n, message in enumerate(messages) if message.get("role") == "user")
    words = messages[at].get("content")
    behind = [{"type": _TEXT_TYPES[api], "text": words}] if isinstance(words, str) else words or []
    parts = [_part(file, api) for file in files]
    changed = {**messages[at], "content": [*parts, *behind]}
    return [*messages[:at], changed, *messages[at + 1 :]]


def _part(file: Attachment, api: Api) -> Part:
    content = _read(file)
    if file.kind == _TEXT:
        text = content.decode().removeprefix("\ufeff")
        return {"type": _TEXT_TYPES[api], "text": f"{file.title}:\n\n{text}"}
    return _FORMS[api](file, b64encode(content).decode("ascii"))


def _read(file: Attachment) -> bytes:
    try:
        content = Path(file.path).read_bytes()
    except OSError as error:
        raise _lost(file, f"cannot be read: {error.strerror}") from None
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise _lost(file, "has changed since the jobs were checked")
    return content


def _lost(file: Attachment, why: str) -> ProviderError:
    message = f"the file {printable(file.name)} {why}"
    return ProviderError("invalid_job", message, retryable=False, unsent=True)


def _chat(file: Attachment, data: str) -> Part:
    url = f"data:{file.kind};base64,{data}"
    if file.kind == _PDF:
        return {"type": "file", "file": {"filename": file.title, "file_data": url}}
    return {"type": "image_url", "image_url": {"url": url}}


def _responses(file: Attachment, data: str) -> Part:
    url = f"data:{file.kind};base64,{data}"
    if file.kind == _PDF:
        return {"type": "input_file", "filename": file.title, "file_data": url}
    return {"type": "input_image", "image_url": url}


def _messages(file: Attachment, data: str) -> Part:
    source = {"type": "base64", "media_type": file.kind, "data": data}
    return {"type": "document" if file.kind == _PDF else "image", "source": source}


_TEXT_TYPES: dict[Api, str] = {
    "openai": "text",
    "openai-responses": "input_text",
    "anthropic": "text",
}
_FORMS: dict[Api, Callable[[Attachment, str], Part]] = {
    "openai": _chat,
    "openai-responses": _responses,
    "anthropic": _messages,
}
