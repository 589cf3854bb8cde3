"""Tokens that Anthropic keeps for an hour, at a price of their own."""

from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from runner.providers.usage import messages_usage

TOLD = {"input_tokens": 5, "output_tokens": 2, "cache_creation_input_tokens": 20}


@pytest.mark.parametrize(
    ("creation", "kept"),
    [
        ({"ephemeral_5m_input_tokens": 8, "ephemeral_1h_input_tokens": 12}, 12),
        ({"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 0}, UNSET),
        ({}, UNSET),
        (None, UNSET),
        ({"ephemeral_1h_input_tokens": "12"}, UNSET),
    ],
)
def test_writes_for_an_hour_are_told_apart(creation: Any, kept: Any) -> None:
    """They are part of all writes; where there are none, records do not mention them."""
    usage = messages_usage({**TOLD, "cache_creation": creation})
    assert usage is not None
    assert (usage.cache_write_tokens, usage.input_tokens) == (20, 25)
    assert usage.cache_write_1h_tokens == kept
    assert (b"1h" in msgspec.json.encode(usage)) == (kept is not UNSET)


def test_no_count_at_all_is_none() -> None:
    """Nothing is made of an empty usage."""
    assert messages_usage({"cache_creation": {"ephemeral_1h_input_tokens": 3}}) is None
