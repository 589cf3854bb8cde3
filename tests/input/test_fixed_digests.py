"""Digests and ids that no release may change, or every user would pay again."""

from typing import Any

import pytest

from tests.input.helpers import parse

USER = {"role": "user", "content": "Why is the sky blue?"}
PARTS = [{"type": "text", "text": "Was ist das? \u00e9 \u2028 \U0001f600"}]
OPENAI = {"custom_id": "r1", "method": "POST"}

TEN: list[tuple[Any, dict[str, Any], str]] = [
    (
        {"prompt": "Why is the sky blue?"},
        {},
        "b1b3d6fc28b86c257beaaec28ecccbd714fde4b4843ea55a7055898689195ea9",
    ),
    (
        {"messages": [USER, {"role": "assistant", "content": PARTS}]},
        {"model": "openai/m"},
        "acfce454bdd81214da2a39491a72b847d51d1bacaa4024d92a227b0a782bd406",
    ),
    (
        {"prompt": "hi", "system": "Be brief."},
        {},
        "cc099c99239363ee1a92d910458382af6211bf7dc2960f2b4b3020edd9574e81",
    ),
    (
        {"prompt": "hi", "params": {"temperature": 0.7, "seed": 2**70, "stop": ["\n"], "n": 1.0}},
        {"defaults": {"temperature": 1, "top_p": 1e-7}},
        "395bde5ece26bc123f213bb244b3023ad36762338dfa446496542e24645f8703",
    ),
    (
        {"id": 7, "prompt": "hi", "max_tokens": 100, "metadata": [1]},
        {"max_tokens": 5},
        "40935b1bdd9061ea210ad17f4e85e4101279a71cb2debbca1fffd4825504ab86",
    ),
    (
        {"id": "x", "text": "a < b"},
        {"template": "Topic of: {{ text }}\n", "system": "One word.", "max_tokens": 100},
        "e8b1992bbf19c0e94aabd990659073098ec8cabfc34ac65add73267d01fa749e",
    ),
    (
        OPENAI
        | {
            "url": "/v1/chat/completions",
            "body": {"model": "gpt-5-mini", "messages": [USER], "max_completion_tokens": 9},
        },
        {},
        "ec0722d201b7ded4972f5aa3313df1ebc89db50634f4f143fb23017fbde5f041",
    ),
    (
        OPENAI
        | {
            "url": "/v1/responses",
            "body": {"model": "gpt-5", "input": "hi", "instructions": "Be brief.", "stream": True},
        },
        {},
        "67c6da20b96dc282d1b746694ee43cef607c5be3eb1c386062ed980f250f1d2b",
    ),
    (
        {
            "custom_id": "r1",
            "params": {"model": "claude", "max_tokens": 9, "system": PARTS, "messages": [USER]},
        },
        {},
        "e1749bef229c5fd197c70104b915feecd39d0be05790876e512a3dfaf026c6d0",
    ),
    (
        {"prompt": "hi", "model": "openai/gpt-5", "params": {"seed": 1}, "max_tokens": 3},
        {"overrides": {"model": "anthropic/claude", "seed": 2, "max_tokens": 4}},
        "51c53f7be503c50ff17b02a416b1cd87aec00e16a57915126adeb17d41f08b00",
    ),
]


@pytest.mark.parametrize(("line", "ask", "digest"), TEN)
def test_ten_digests_are_fixed(line: Any, ask: dict[str, Any], digest: str) -> None:
    """A question of each shape has the digest that it had in the first release."""
    assert parse(line, **ask).digest == digest


@pytest.mark.parametrize(
    ("line", "ask", "job_id"),
    [
        ({"prompt": "Why is the sky blue?"}, {}, "387c7241d93b738c"),
        ({"b": 1.0, "a": [None, "\u00e9"]}, {"template": "{{ a }}"}, "62a23c4d5387f14d"),
    ],
)
def test_default_ids_are_fixed(line: Any, ask: dict[str, Any], job_id: str) -> None:
    """A line without an id goes by the name that it had in the first release."""
    assert parse(line, **ask).id == job_id
