"""Streams of Responses put together: whole, cut, and with parts that were not streamed."""

from typing import Any

import pytest

from runner.providers.base import Delta
from runner.providers.faults import FaultError
from tests.providers.bodies import RESPONSE, RESPONSE_EVENTS
from tests.providers.test_assemblies import body_of, fed


def event(kind: str, **fields: Any) -> dict[str, Any]:
    """Write one event of Responses."""
    return {"type": f"response.{kind}", "output_index": 0, **fields}


def test_response_cut() -> None:
    """A response that was cut is put together from its events."""
    events = [
        RESPONSE_EVENTS[0],
        event("output_item.added", item={"type": "reasoning", "id": "r", "summary": []}),
        event("reasoning_summary_text.delta", summary_index=0, delta="hm"),
        event("output_item.added", output_index=1, item={"type": "message", "content": []}),
        event("output_text.delta", output_index=1, content_index=0, delta="Hi"),
        event("function_call_arguments.delta", output_index=2, delta='{"a"'),
        event("web_search_call.searching", output_index=3),
        event("audio.delta", delta="zzz"),
        {"type": "keepalive"},
    ]
    assembly, deltas = fed("openai-responses", events)
    assert body_of(assembly)["output"] == [
        {
            "type": "reasoning",
            "id": "r",
            "summary": [{"type": "summary_text", "text": "hm"}],
        },
        {
            "type": "message",
            "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
        },
        {"type": "function_call", "status": "in_progress", "arguments": '{"a"'},
    ]
    assert deltas == [Delta("hm", "reasoning"), Delta("Hi")]
    completion = assembly.completion()
    assert (completion.text, completion.finish_reason, completion.usage) == ("Hi", None, None)


def test_parts_of_a_summary_are_paragraphs() -> None:
    """Each further part of the reasoning's summary is shown apart from the one before."""
    events = [
        RESPONSE_EVENTS[0],
        event("reasoning_summary_text.delta", summary_index=0, delta="**A**"),
        event("reasoning_summary_text.delta", summary_index=1, delta="**B**"),
        event("reasoning_summary_text.delta", summary_index=1, delta=" b"),
    ]
    assembly, deltas = fed("openai-responses", events)
    assert [delta.text for delta in deltas] == ["**A**", "\n\n**B**", " b"]
    summary = body_of(assembly)["output"][0]["summary"]
    assert [part["text"] for part in summary] == ["**A**", "**B** b"]


def test_response_text_that_was_not_streamed() -> None:
    """Text that comes only with a `done` or with the whole response is shown all the same."""
    done = [
        RESPONSE_EVENTS[0],
        event("output_text.delta", delta="H"),
        event("output_text.done", text="Hi"),
    ]
    changed = [*done[:2], event("output_text.done", text="other")]
    assert fed("openai-responses", done)[1] == [Delta("H"), Delta("i")]
    assert fed("openai-responses", changed)[1] == [Delta("H")]
    assert fed("openai-responses", [RESPONSE_EVENTS[0], RESPONSE_EVENTS[-1]])[1] == [Delta("Hi")]


def test_response_refusal() -> None:
    """A streamed refusal is shown and kept."""
    events = [
        RESPONSE_EVENTS[0],
        event("refusal.delta", delta="No."),
        event("refusal.done", refusal="No."),
    ]
    assembly, deltas = fed("openai-responses", events)
    assert (assembly.completion().text, deltas) == ("No.", [Delta("No.")])
    assert body_of(assembly)["output"][0]["content"] == [{"type": "refusal", "refusal": "No."}]


def test_response_whose_end_is_empty() -> None:
    """Where the terminal event leaves the output out, what was streamed stands in."""
    item = RESPONSE["output"][0]
    end = {"type": "response.completed", "response": {**RESPONSE, "output": []}}
    streamed = [*RESPONSE_EVENTS[:5], event("output_item.done", item=item), end]
    assembly, deltas = fed("openai-responses", streamed)
    assert assembly.completion().text == "Hi"
    assert body_of(assembly) == RESPONSE
    assert deltas == [Delta("H"), Delta("i")]


def test_response_without_beginning() -> None:
    """Text without any `response.created` is kept."""
    assembly, _ = fed("openai-responses", [event("output_text.delta", delta="H")])
    assert assembly.completion().text == "H"


def test_response_error_in_an_event() -> None:
    """An error object in an event of another name is an error."""
    with pytest.raises(FaultError):
        fed("openai-responses", [{"type": "odd", "error": {"message": "m"}}])
