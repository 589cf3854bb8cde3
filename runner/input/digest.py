"""The two hashes of a job. A change to what they are taken over makes every user buy again.

Canonical JSON is msgspec's deterministic encoding: keys sorted, no white space, UTF-8 unescaped.
It keeps 1 and 1.0 apart, and integers of any length whole.
"""

import hashlib
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from runner.config import ModelRef
from runner.models import Attachment, Request

ID_DIGITS = 16

canonical = msgspec.json.Encoder(order="deterministic").encode
"""Gives a line's own content, whatever the order of its keys and its spacing."""


def bytes_id(content: bytes) -> str:
    """Name a job by its canonical content, or a line that cannot be read by its bytes."""
    return hashlib.sha256(content).hexdigest()[:ID_DIGITS]


class _Asked(msgspec.Struct, kw_only=True):
    """What is asked; its keys stand in the order of canonical JSON."""

    files: list[dict[str, str]] | UnsetType
    max_tokens: int | UnsetType
    messages: list[dict[str, Any]] | UnsetType
    model: str
    params: dict[str, Any] | UnsetType
    provider: str
    schema: str | UnsetType
    system: Any


def digest(ref: ModelRef, request: Request) -> str:
    """Hash what is asked, in hex: of whom, which model, with which words and parameters.

    What was not given is left out, so a later piece that nobody gives changes no digest.
    """
    asked = _Asked(
        files=[_file(file) for file in request.files] or UNSET,
        max_tokens=UNSET if request.max_tokens is None else request.max_tokens,
        messages=UNSET if request.messages is None else request.messages,
        model=ref.model,
        params=request.params or UNSET,
        provider=ref.provider,
        schema=UNSET if request.schema is None else request.schema.digest,
        system=UNSET if request.system is None else request.system,
    )
    return hashlib.sha256(canonical(asked)).hexdigest()


def _file(file: Attachment) -> dict[str, str]:
    """What is asked with a file: its content, and its name where that is sent along."""
    asked = {"kind": file.kind, "sha256": file.sha256}
    if not file.kind.startswith("image/"):
        asked["name"] = file.title
    return asked
