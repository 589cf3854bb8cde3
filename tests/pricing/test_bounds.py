"""The most tokens that a request can take."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from runner.models import Attachment, Request
from runner.pricing.bounds import (
    HIDDEN_TOKENS,
    HIDDEN_TOOL_TOKENS,
    input_bound,
    output_bound,
)
from runner.schemas.reading import schema_of

FEW = settings(max_examples=100, deadline=None, derandomize=True, database=None)
CAPS = ("max_completion_tokens", "max_tokens")


def asking(content: Any, *, max_tokens: int | None = None, **params: Any) -> Request:
    """A request with one message."""
    messages = [{"role": "user", "content": content}]
    return Request(messages=messages, max_tokens=max_tokens, params=params)


@FEW
@given(st.text(st.characters(exclude_categories=())))
@example("\ud83d")
def test_text_takes_no_more_tokens_than_bytes(text: str) -> None:
    """The bound is above the bytes of all text, lone surrogates included, by a known margin."""
    found = input_bound(asking(text), caches_unasked=True).tokens
    size = len(text.encode("utf-8", "replace"))
    assert found is not None
    assert size + HIDDEN_TOKENS <= found


def test_a_schema_counts() -> None:
    """It is sent with the question, and servers put words of their own around it."""
    schema = schema_of({"type": "object", "description": "x" * 1000})
    bare = Request(messages=[])
    plain = input_bound(bare, caches_unasked=True).tokens
    found = input_bound(replace(bare, schema=schema), caches_unasked=True).tokens
    assert plain is not None
    assert found is not None
    assert found - plain > 1000 + HIDDEN_TOOL_TOKENS


def test_all_that_is_sent_counts() -> None:
    """System, further messages, tools and other parameters are read by the model, too."""
    plain = input_bound(asking("hi"), caches_unasked=True).tokens
    tool = {"type": "function", "function": {"name": "f", "description": "x" * 100}}
    with_tool = input_bound(asking("hi", tools=[tool]), caches_unasked=True).tokens
    with_system = Request(messages=asking("hi").messages, system="y" * 50)
    assert plain is not None
    assert with_tool is not None
    assert with_tool > plain + 100 + HIDDEN_TOOL_TOKENS
    assert input_bound(with_system, caches_unasked=True).tokens == plain + 50 - 2  # `null`, quoted


TEXTS: list[Any] = [
    "words",
    [{"type": "text", "text": "words"}],
    [{"type": "input_text", "text": "words"}, "more"],
    [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "42"}]}],
    [{"type": "tool_result", "tool_use_id": "t", "content": "42"}],
    None,
]
OTHERS: list[Any] = [
    [{"type": "image_url", "image_url": {"url": "https://far.example/a.png"}}],
    [{"type": "text", "text": "see"}, {"type": "document", "source": {"type": "url"}}],
    [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image"}]}],
    [{"type": "brand_new"}],
    [7],
    {"odd": "shape"},
    7,
]


@pytest.mark.parametrize("content", TEXTS)
def test_text_is_bounded(content: Any) -> None:
    """Text is bounded by its bytes, whatever parts it comes in."""
    assert input_bound(asking(content), caches_unasked=True).tokens is not None


@pytest.mark.parametrize("content", OTHERS)
def test_what_is_no_text_is_not_bounded(content: Any) -> None:
    """A picture may take thousands of tokens behind a short address; so may what is unknown."""
    assert input_bound(asking(content), caches_unasked=True).tokens is None


@pytest.mark.parametrize(
    ("params", "bounded"),
    [
        ({"input": "words"}, True),
        ({"input": [{"role": "user", "content": "words"}]}, True),
        ({"input": [{"type": "function_call_output", "call_id": "c", "output": "42"}]}, True),
        ({"input": [{"type": "item_reference", "id": "r"}]}, False),
        ({"input": "words", "previous_response_id": "r"}, False),
        ({"input": "words", "conversation": "c"}, False),
    ],
)
def test_what_the_server_adds_is_not_bounded(params: dict[str, Any], bounded: bool) -> None:
    """An earlier response that is only named brings all its tokens along."""
    found = input_bound(Request(params=params), caches_unasked=True)
    assert (found.tokens is not None) == bounded


def test_anthropic_writes_its_cache_only_where_told() -> None:
    """Without a cache_control nothing is written; other APIs write by themselves."""
    marked = [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]
    assert not input_bound(asking("x"), caches_unasked=False).writes_cache
    assert input_bound(asking(marked), caches_unasked=False).writes_cache
    assert input_bound(asking("x"), caches_unasked=True).writes_cache


@pytest.mark.parametrize(
    ("request_", "bound"),
    [
        (asking("x", max_tokens=100), 100),
        (asking("x", max_tokens=100, n=3), 300),
        (asking("x", max_tokens=100, n=None), 100),
        (asking("x", max_completion_tokens=50), 50),
        # A cap of the job's own is sent instead of the portable one.
        (asking("x", max_tokens=100, max_completion_tokens=50), 50),
        (Request(params={"max_tokens": 70, "max_completion_tokens": 50}), 70),
        (asking("x"), 4000),
        (asking("x", n=2), 8000),
        # Another API's name bounds nothing here.
        (asking("x", max_output_tokens=5), 4000),
        (Request(params={"max_tokens": "50"}), None),
        (Request(params={"max_tokens": -1}), None),
        (Request(params={"max_tokens": True}), None),
        # Null is sent as it is, and then no portable cap is.
        (asking("x", max_tokens=100, max_completion_tokens=None), 4000),
        (asking("x", max_tokens=100, n="2"), None),
    ],
)
def test_output_is_bounded_by_the_cap(request_: Request, bound: int | None) -> None:
    """The job's cap times its choices; else the model's limit; what is no number bounds nothing."""
    assert output_bound(request_, CAPS, default=None, window=4000) == bound


def test_without_cap_and_limit_nothing_bounds_an_answer() -> None:
    """Then nobody can say what it may cost."""
    assert output_bound(asking("x"), CAPS, default=None, window=None) is None


def test_a_cap_that_is_always_sent_bounds_an_answer() -> None:
    """Messages gets a cap even where nobody chose one; it is lower than the model's limit."""
    assert output_bound(asking("x"), ("max_tokens",), default=4096, window=200_000) == 4096
    assert output_bound(asking("x"), ("max_tokens",), default=0, window=200_000) == 0


@pytest.mark.parametrize(("kind", "tokens"), [("text/plain", 5_000), ("image/png", None)])
def test_files_count_by_what_they_hold(kind: str, tokens: int | None) -> None:
    """An attached text takes no more tokens than it has bytes; a picture or a PDF any number."""
    file = Attachment(name="a", path="/a", kind=kind, size=5_000, sha256="")
    request = Request(messages=asking("x").messages, files=(file,))
    found = input_bound(request, caches_unasked=True).tokens
    assert (found is None) == (tokens is None)
    assert found is None or tokens is None or found > tokens + HIDDEN_TOKENS
