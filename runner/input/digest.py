"""The two hashes of a job. A change to what they are taken over makes every user buy again.

Canonical JSON is msgspec's deterministic encoding: keys sorted, no white space, UTF-8 unescaped.
It keeps 1 and 1.0 apart, and integers of any length whole.
"""

import hashlib
from typing import Any

import msgspec

from runner.config import ModelRef
from runner.models import Request

ID_DIGITS = 16

_encode = msgspec.json.Encoder(order="deterministic").encode


def content_id(value: dict[str, Any]) -> str:
    """Name a line by its own content, whatever the order of its keys and its spacing."""
    return hashlib.sha256(_encode(value)).hexdigest()[:ID_DIGITS]


def raw_id(raw: bytes) -> str:
    """Name a line that cannot be read by its bytes."""
    return hashlib.sha256(raw).hexdigest()[:ID_DIGITS]


def digest(ref: ModelRef, request: Request) -> str:
    """Hash what is asked, in hex: of whom, which model, with which words and parameters.

    What was not given is left out, so a later piece that nobody gives changes no digest.
    """
    asked: dict[str, Any] = {"provider": ref.provider, "model": ref.model}
    if request.messages is not None:
        asked["messages"] = request.messages
    if request.system is not None:
        asked["system"] = request.system
    if request.max_tokens is not None:
        asked["max_tokens"] = request.max_tokens
    if request.params:
        asked["params"] = request.params
    return hashlib.sha256(_encode(asked)).hexdigest()
