"""Streams put together into the body that does not stream, event by event."""

import json
from typing import Any

import pytest

from runner.models import Api, Usage
from runner.providers.assembling import StreamAssembly
from runner.providers.base import Delta
from tests.providers.bodies import (
    CHAT,
    CHAT_USAGE,
    MESSAGE_EVENTS,
    STREAMED,
    WHOLE,
    chunk,
)
from tests.providers.test_bodies import ADAPTERS, adapter


def fed(api: Api, events: list[dict[str, Any]]) -> tuple[StreamAssembly, list[Delta]]:
    """Feed events to a fresh assembly."""
    assembly = adapter(api).assembly()
    return assembly, [delta for event in events for delta in assembly.feed(event, "")]


def body_of(assembly: StreamAssembly) -> Any:
    """The body as it would be recorded."""
    raw = assembly.completion().response
    assert raw is not None
    return json.loads(bytes(raw))


@pytest.mark.parametrize("api", ADAPTERS)
def test_same_shape(api: Api) -> None:
    """The assembled body equals the one that does not stream."""
    assembly, deltas = fed(api, STREAMED[api])
    assert deltas == [Delta("H"), Delta("i")]
    assert assembly.ended
    assert body_of(assembly) == WHOLE[api]


@pytest.mark.parametrize("api", ADAPTERS)
def test_readable_at_any_moment(api: Api) -> None:
    """After every event there is a completion, and it ends only with the terminal signal."""
    assembly = adapter(api).assembly()
    assert assembly.completion().text is None
    assert assembly.completion().response is None
    shown = ""
    for event in STREAMED[api]:
        shown += "".join(delta.text for delta in assembly.feed(event, ""))
        completion = assembly.completion()
        assert (completion.text or "") == shown
        assert (completion.finish_reason == "stop") == assembly.ended
        assert completion.usage is None or completion.usage.complete == assembly.ended


def test_chat_tool_calls() -> None:
    """Tool calls grow by their index; arguments that are not JSON stay as they are."""
    first = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}
    other = {"index": 1, "id": "b", "type": "custom", "custom": {"name": "g", "input": "x"}}
    events = [
        chunk({"role": "assistant", "content": None, "tool_calls": [first]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"q":'}}, other]}),
        chunk({"tool_calls": [{"index": 0, "function": {"name": None, "arguments": "oops"}}]}),
        chunk({"tool_calls": [{"index": 1, "custom": {"input": "y"}}]}, "tool_calls"),
    ]
    assembly, deltas = fed("openai", events)
    message = body_of(assembly)["choices"][0]["message"]
    assert message["tool_calls"] == [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"q":oops'}},
        {"id": "b", "type": "custom", "custom": {"name": "g", "input": "xy"}},
    ]
    assert (message["content"], deltas, assembly.has_output) == (None, [], True)
    assert assembly.completion().finish_reason == "tool_calls"


def test_chat_legacy_function_call() -> None:
    """The deprecated function call grows too."""
    events = [
        chunk({"function_call": {"name": "f", "arguments": "{"}}),
        chunk({"function_call": {"arguments": "}"}}, "function_call"),
    ]
    message = body_of(fed("openai", events)[0])["choices"][0]["message"]
    assert message["function_call"] == {"name": "f", "arguments": "{}"}


def test_chat_keeps_everything_else() -> None:
    """Reasoning, log probabilities, annotations, tiers and unknown fields are kept."""
    events = [
        chunk({"role": "assistant", "reasoning_content": "h"}, obfuscation="zz", service_tier="x"),
        chunk({"reasoning_content": "m", "annotations": [1]}, timings={"a": 1}),
        chunk({"content": "A", "annotations": [2], "odd": 5}),
        chunk({}, "stop"),
    ]
    events[2]["choices"][0]["logprobs"] = {"content": [{"token": "A"}], "refusal": None}
    events[2]["choices"][0]["content_filter_results"] = {"hate": False}
    assembly, deltas = fed("openai", events)
    body = body_of(assembly)
    choice = body["choices"][0]
    assert choice["message"]["reasoning_content"] == "hm"
    assert choice["message"]["annotations"] == [1, 2]
    assert choice["message"]["odd"] == 5
    assert choice["logprobs"] == {"content": [{"token": "A"}], "refusal": []}
    assert choice["content_filter_results"] == {"hate": False}
    assert (body["service_tier"], body["timings"]) == ("x", {"a": 1})
    assert "obfuscation" not in body
    assert deltas == [Delta("h", "reasoning"), Delta("m", "reasoning"), Delta("A")]


def test_chat_refusal() -> None:
    """A streamed refusal is shown and becomes the text."""
    events = [chunk({"content": None, "refusal": "No"}), chunk({"refusal": "."}, "stop")]
    assembly, deltas = fed("openai", events)
    assert deltas == [Delta("No"), Delta(".")]
    completion = assembly.completion()
    assert (completion.text, completion.finish_reason) == ("No.", "content_filter")
    assert body_of(assembly)["choices"][0]["message"]["content"] is None


def test_chat_odd_chunks() -> None:
    """Azure's empty first chunk, null and missing deltas, and lists of parts do no harm."""
    filtered = {"choices": [], "prompt_filter_results": [1]}
    bare: dict[str, Any] = {"choices": [{"index": 0}]}
    parts = [{"type": "text", "text": "a"}, {"type": "image"}]
    events = [filtered, chunk(None), bare, chunk({"content": parts}), chunk({"content": 7}, "stop")]
    assembly, deltas = fed("openai", events)
    assert deltas == [Delta("a")]
    assert assembly.completion().text == "a"
    assert body_of(assembly)["prompt_filter_results"] == [1]


@pytest.mark.parametrize(
    ("usages", "expected"),
    [
        ([None, None], None),
        ([{"prompt_tokens": 9}, None], Usage(input_tokens=9)),
        ([{"prompt_tokens": 9}, {"prompt_tokens": 10}], Usage(input_tokens=10)),
        ([{}, {"prompt_tokens": "9"}], None),
    ],
)
def test_chat_usage_on_chunks(usages: list[Any], expected: Usage | None) -> None:
    """Usage may come on any chunk: the last one counts, nothing is summed or guessed."""
    first, last = usages
    events = [chunk({"content": "a"}, usage=first), chunk({}, "stop", usage=last)]
    assert fed("openai", events)[0].completion().usage == expected


def test_chat_surrogates_cut_between_chunks() -> None:
    """An emoji whose halves come in two chunks is shown and kept whole."""
    events = [chunk({"content": "a\ud83d"}), chunk({"content": "\ude00"}, "stop")]
    assembly, deltas = fed("openai", events)
    assert "".join(delta.text for delta in deltas) == assembly.completion().text == "a😀"


def test_chat_closes_after_the_counts() -> None:
    """Nothing more is awaited once the finish and the token counts have come."""
    assembly, _ = fed("openai", [chunk({"content": "a"}, "stop")])
    assert (assembly.ended, assembly.closed) == (True, False)
    assembly.feed(CHAT_USAGE, "")
    assert assembly.closed
    assert assembly.completion().usage == Usage(input_tokens=9, output_tokens=2, total_tokens=11)
    assert body_of(assembly)["usage"] == CHAT["usage"]


def message_events(*blocks: dict[str, Any], stop: str = "end_turn") -> list[dict[str, Any]]:
    """Write the events of one message around those of its blocks."""
    end = {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 2}}
    return [MESSAGE_EVENTS[0], *blocks, end, {"type": "message_stop"}]


def grow(index: int, kind: str, **delta: Any) -> dict[str, Any]:
    """Write one `content_block_delta`."""
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **delta}}


def opened(index: int, **block: Any) -> dict[str, Any]:
    """Write one `content_block_start`."""
    return {"type": "content_block_start", "index": index, "content_block": block}


@pytest.mark.parametrize(
    ("pieces", "value"),
    [(['{"a"', ": 1}"], {"a": 1}), ([], {}), ([""], {}), (['{"a":'], '{"a":')],
)
def test_message_tool_input(pieces: list[str], value: Any) -> None:
    """Tool input is read when it is whole; what is not JSON is kept as text."""
    grown = [grow(0, "input_json_delta", partial_json=piece) for piece in pieces]
    start = opened(0, type="tool_use", id="t", name="f", input={})
    stop = {"type": "content_block_stop", "index": 0}
    assembly, deltas = fed("anthropic", message_events(start, *grown, stop, stop="tool_use"))
    assert body_of(assembly)["content"] == [
        {"type": "tool_use", "id": "t", "name": "f", "input": value}
    ]
    assert deltas == []
    assert assembly.completion().finish_reason == "tool_calls"


def test_message_thinking_and_citations() -> None:
    """Thinking with its signature and citations are kept; thinking is no text."""
    events = message_events(
        opened(0, type="thinking", thinking="", signature=""),
        grow(0, "thinking_delta", thinking="hm"),
        grow(0, "signature_delta", signature="s"),
        opened(1, type="text", text="A"),
        grow(1, "text_delta", text="B"),
        grow(1, "citations_delta", citation={"c": 1}),
        grow(1, "brand_new_delta", text="zzz"),
    )
    assembly, deltas = fed("anthropic", events)
    assert body_of(assembly)["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "text", "text": "AB", "citations": [{"c": 1}]},
    ]
    assert deltas == [Delta("hm", "reasoning"), Delta("A"), Delta("B")]
    assert assembly.completion().text == "AB"


def test_message_oddities() -> None:
    """Deltas before their block, two beginnings, unknown events: the last beginning counts."""
    events = [
        {"type": "brand_new"},
        MESSAGE_EVENTS[0],
        grow(0, "text_delta", text="lost"),
        {"type": "content_block_stop", "index": 9},
        *message_events(grow(3, "text_delta", text=5), grow(0, "text_delta", text="kept")),
    ]
    assembly, _ = fed("anthropic", events)
    assert assembly.completion().text == "kept"
    assert assembly.ended


def test_message_without_beginning() -> None:
    """Text that comes before any beginning is kept too."""
    assembly, deltas = fed("anthropic", [grow(0, "text_delta", text="a")])
    assert (assembly.completion().text, deltas) == ("a", [Delta("a")])
    assembly.feed({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, "")
    assert body_of(assembly)["stop_reason"] == "end_turn"
    assert assembly.completion().finish_reason is None


def test_message_usage_is_overwritten() -> None:
    """Running totals overwrite; what a later one leaves out keeps its first value."""
    late = {
        "type": "message_delta",
        "delta": {},
        "usage": {"output_tokens": 5, "input_tokens": None},
    }
    events = [*MESSAGE_EVENTS[:-1], {**late, "context_management": {"x": 1}}, MESSAGE_EVENTS[-1]]
    assembly, _ = fed("anthropic", events)
    assert assembly.completion().usage == Usage(input_tokens=9, output_tokens=5, total_tokens=14)
    assert body_of(assembly)["context_management"] == {"x": 1}
