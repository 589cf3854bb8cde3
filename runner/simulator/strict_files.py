"""Refuses pictures and files that the real APIs refuse: data URLs, base64, types, sizes."""

import base64
import binascii
import re
from typing import Any

from runner.simulator.errors import ApiError

_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_DATA_URL = re.compile(r"data:([a-z0-9.+-]+/[a-z0-9.+-]+);base64,", re.IGNORECASE)
_DETAILS = (None, "auto", "low", "high", "original")
_LARGEST_IMAGE = 5 * 1024 * 1024
"""In base64, as Anthropic counts."""
_FORMATS = "image has of one the following formats: ['png', 'jpeg', 'gif', 'webp']"


def check_chat_file(place: str, part: dict[str, Any]) -> None:
    """Check an `image_url` or `file` part of Chat Completions.

    Raises:
        ApiError: 400.
    """
    kind = part["type"]
    if kind not in {"image_url", "file"}:
        return
    inner = part.get(kind)
    if not isinstance(inner, dict):
        raise _bad(f"{place}.{kind}", "expected an object")
    _check_keys(place, part, {"type", kind})
    if kind == "file":
        _check_keys(f"{place}.file", inner, {"filename", "file_data", "file_id"})
        _check_openai_file(f"{place}.file", inner)
        return
    _check_keys(f"{place}.image_url", inner, {"url", "detail"})
    _check_image(f"{place}.image_url.url", inner.get("url"), inner.get("detail"))


def check_responses_file(place: str, part: dict[str, Any]) -> None:
    """Check an `input_image` or `input_file` part of Responses.

    Raises:
        ApiError: 400.
    """
    if part["type"] == "input_image":
        _check_keys(place, part, {"type", "image_url", "file_id", "detail"})
        if part.get("file_id") is None:
            _check_image(f"{place}.image_url", part.get("image_url"), part.get("detail"))
    elif part["type"] == "input_file":
        _check_keys(place, part, {"type", "filename", "file_data", "file_id", "file_url"})
        if part.get("file_url") is None:
            _check_openai_file(place, part)


def check_block(place: str, block: dict[str, Any]) -> None:
    """Check an `image` or `document` block of Messages.

    Raises:
        ApiError: 400.
    """
    kind = block["type"]
    if kind not in {"image", "document"}:
        return
    source = block.get("source")
    if not isinstance(source, dict):
        raise ApiError(400, f"{place}.{kind}.source: Field required")
    form = source.get("type")
    forms = ("base64", "url", "file") + (("text", "content") if kind == "document" else ())
    if form not in forms:
        raise ApiError(400, f"{place}.{kind}.source: Input tag {form!r} is not one of {forms}")
    if form not in {"base64", "text"}:
        return
    where = f"{place}.{kind}.source.{form}"
    for key in source.keys() - {"type", "media_type", "data"}:
        raise ApiError(400, f"{where}.{key}: Extra inputs are not permitted")
    _check_source(where, kind, source)


def _check_source(where: str, kind: str, source: dict[str, Any]) -> None:
    media, data = source.get("media_type"), source.get("data")
    allowed = _IMAGES if kind == "image" else ("application/pdf",)
    if source["type"] == "text":
        allowed = ("text/plain",)
    if media not in allowed:
        wanted = " or ".join(map(repr, allowed))
        raise ApiError(400, f"{where}.media_type: Input should be {wanted}")
    if not isinstance(data, str) or not data:
        raise ApiError(400, f"{where}.data: Input should be a valid string")
    if source["type"] == "text":
        return
    if kind == "image" and len(data) > _LARGEST_IMAGE:
        problem = f"image exceeds 5 MB maximum: {len(data)} bytes > {_LARGEST_IMAGE} bytes"
        raise ApiError(400, f"{where}: {problem}")
    content = _decoded(data)
    if content is None:
        raise ApiError(400, f"{where}.data: Invalid base64 data")
    found = _kind_of(content)
    if kind == "document" and found != "application/pdf":
        raise ApiError(400, f"{where}.data: The PDF specified was not valid.")
    if kind == "image" and found not in _IMAGES:
        raise ApiError(400, f"{where}.data: Could not process image")
    if found != media:
        problem = f"specified using the {media} media type, but the image appears to be a {found}"
        raise ApiError(400, f"{where}.data: The image was {problem} image")


def _check_image(place: str, url: Any, detail: Any) -> None:
    if detail not in _DETAILS:
        raise _bad(place.rpartition(".")[0] + ".detail", f"{detail!r} is no level of detail")
    if not isinstance(url, str):
        raise _bad(place, "expected an image URL")
    if url.startswith(("https://", "http://")):
        return
    media, content = _data_url(place, url)
    if media not in _IMAGES or _kind_of(content) not in _IMAGES:
        message = f"You uploaded an unsupported image. Please make sure your {_FORMATS}."
        raise ApiError(400, message, code="invalid_image_format", param=place)


def _check_openai_file(place: str, file: dict[str, Any]) -> None:
    if file.get("file_id") is not None:
        return
    data, name = file.get("file_data"), file.get("filename")
    if data is None or not isinstance(name, str) or not name:
        missing = "file_id" if data is None else "filename"
        raise ApiError(
            400,
            f"Missing required parameter: '{place}.{missing}'.",
            code="missing_required_parameter",
            param=f"{place}.{missing}",
        )
    if not isinstance(data, str):
        raise _bad(f"{place}.file_data", "expected a string")
    media, content = _data_url(f"{place}.file_data", data)
    if media == "application/pdf" and _kind_of(content) != media:
        raise _bad(f"{place}.file_data", "the file is no valid PDF")


def _data_url(place: str, url: str) -> tuple[str, bytes]:
    found = _DATA_URL.match(url)
    if found is None:
        raise _bad(place, "expected a base64-encoded data URL with a MIME type")
    content = _decoded(url[found.end() :])
    if not content:
        raise ApiError(400, "Invalid base64 data.", code="invalid_base64", param=place)
    return found[1].lower(), content


def _decoded(data: str) -> bytes | None:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None


def _kind_of(content: bytes) -> str | None:
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    magic = {
        b"\x89PNG\r\n\x1a\n": "image/png",
        b"\xff\xd8\xff": "image/jpeg",
        b"GIF8": "image/gif",
        b"%PDF-": "application/pdf",
    }
    return next((kind for start, kind in magic.items() if content.startswith(start)), None)


def _check_keys(place: str, value: dict[str, Any], known: set[str]) -> None:
    for key in value.keys() - known:
        name = f"{place}.{key}"
        message = f"Unknown parameter: '{name}'."
        raise ApiError(400, message, code="unknown_parameter", param=name)


def _bad(place: str, problem: str) -> ApiError:
    message = f"Invalid value for '{place}': {problem}."
    return ApiError(400, message, code="invalid_value", param=place)
