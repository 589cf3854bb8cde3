"""Cases 12 to 17, 39 and 40: answers of odd shapes."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from runner.config import Config, ProviderConfig
from runner.errors import UsageError
from runner.models import Api
from runner.run.batch import run_batch
from runner.settings import Ask, BatchSettings
from tests.providers.asking import USAGE, written
from tests.providers.bodies import (
    CHAT,
    CHAT_EVENTS,
    CHAT_USAGE,
    MESSAGE,
    MESSAGE_EVENTS,
    RESPONSE,
    STREAMED,
    WHOLE,
    chunk,
)
from tests.providers.raw_server import answer, data, named, stream
from tests.wire.engine import Told, ask
from tests.wire.table import ALL, BOTH, proves

pytestmark = pytest.mark.anyio

HI = Told("succeeded", "Hi")


@proves(12, "openai")
async def test_events_without_choices(api: Api) -> None:
    """A filter's report first and the counts last do no harm, and the counts are kept."""
    report = {**CHAT_USAGE, "usage": None, "prompt_filter_results": [{"prompt_index": 0}]}
    asked = await ask(stream(data(report, *CHAT_EVENTS, "[DONE]")), api=api, watched=True)
    assert asked.told == HI
    assert asked.result.usage == USAGE


@proves(13, *BOTH)
async def test_nothing_in_the_deltas(api: Api) -> None:
    """Deltas and contents that are null or missing are nothing; parts of text are joined."""
    if api == "openai":
        bare = chunk(None)
        del bare["choices"][0]["delta"]
        parts = [{"type": "text", "text": "H"}, {"type": "text", "text": "i"}]
        odd = [chunk(None), bare, chunk({"content": None}), chunk({"content": parts})]
        text = data(*odd, *CHAT_EVENTS[3:], "[DONE]")
        body = {**CHAT, "choices": [{"message": {"content": parts}, "finish_reason": "stop"}]}
    else:
        odd = [
            {"type": "content_block_start", "index": 0, "content_block": None},
            {"type": "content_block_delta", "index": 0, "delta": None},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta"}},
        ]
        text = named(MESSAGE_EVENTS[0], *odd, *MESSAGE_EVENTS[1:])
        parts = [{"type": "text", "text": "H"}, {"type": "text", "text": "i"}, {"type": "text"}]
        body = {**MESSAGE, "content": parts}
    assert (await ask(stream(text), api=api, watched=True)).told == HI
    assert (await ask(answer(body), api=api)).told == HI


def call_body(api: Api, arguments: str) -> dict[str, Any]:
    """Write an answer that only calls a tool."""
    if api == "openai":
        call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        return {**CHAT, "choices": [{"message": message, "finish_reason": "tool_calls"}]}
    if api == "anthropic":
        block = {"type": "tool_use", "id": "c1", "name": "f", "input": json.loads(arguments)}
        return {**MESSAGE, "content": [block], "stop_reason": "tool_use"}
    item = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": arguments}
    return {**RESPONSE, "output": [item]}


def call_stream(api: Api, arguments: str) -> bytes:
    """Write the same as a stream, the arguments cut in two."""
    halves = arguments[:3], arguments[3:]
    if api == "openai":
        function = {"name": "f", "arguments": ""}
        start = {"index": 0, "id": "c1", "type": "function", "function": function}
        pieces = [{"index": 0, "function": {"arguments": half}} for half in halves]
        more = [chunk({"tool_calls": [piece]}) for piece in pieces]
        first = chunk({"role": "assistant", "content": None, "tool_calls": [start]})
        return data(first, *more, chunk({}, "tool_calls"), "[DONE]")
    if api == "anthropic":
        block = {"type": "tool_use", "id": "c1", "name": "f", "input": {}}
        pieces = [{"type": "input_json_delta", "partial_json": half} for half in halves]
        return named(
            MESSAGE_EVENTS[0],
            {"type": "content_block_start", "index": 0, "content_block": block},
            *({"type": "content_block_delta", "index": 0, "delta": piece} for piece in pieces),
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
            {"type": "message_stop"},
        )
    kind = "response.function_call_arguments.delta"
    body = call_body(api, arguments)
    added = {"type": "response.output_item.added", "output_index": 0, "item": body["output"][0]}
    deltas: list[Any] = [{"type": kind, "output_index": 0, "delta": half} for half in halves]
    return named(added, *deltas, {"type": "response.completed", "response": body})


@proves(14, *ALL)
async def test_tool_calls_without_text(api: Api) -> None:
    """An answer that only calls tools has succeeded, without text."""
    for asked in (
        await ask(answer(call_body(api, '{"a": 1}')), api=api),
        await ask(stream(call_stream(api, '{"a": 1}')), api=api, watched=True),
    ):
        assert asked.told == Told("succeeded", None)
        assert asked.result.finish_reason == "tool_calls"
        assert '"c1"' in json.dumps(asked.body)


@proves(15, *ALL)
async def test_broken_tool_arguments(api: Api) -> None:
    """Arguments that are not JSON stay the text that they are."""
    asked = await ask(stream(call_stream(api, '{"a": nope')), api=api, watched=True)
    assert asked.told == Told("succeeded", None)
    assert json.dumps('{"a": nope') in json.dumps(asked.body)


NO_USAGE: list[Any] = [None, {}, [], "none", {"prompt_tokens": "9", "input_tokens": "9"}]


@proves(16, *ALL)
@pytest.mark.parametrize("usage", NO_USAGE)
async def test_no_token_counts(api: Api, usage: Any) -> None:
    """Counts that are missing or no numbers are null, whole or streamed."""
    asked = await ask(answer({**WHOLE[api], "usage": usage}), api=api)
    assert (asked.told, asked.result.usage) == (HI, None)
    events = json.loads(json.dumps(STREAMED[api]))
    for event in events:
        for holder in (event, event.get("message", {}), event.get("response", {})):
            if "usage" in holder:
                holder["usage"] = usage
    ending = data("[DONE]") if api == "openai" else b""
    asked = await ask(stream(written(api, events) + ending), api=api, watched=True)
    assert (asked.told, asked.result.usage) == (HI, None)


@proves(16, *BOTH)
async def test_repeated_token_counts(api: Api) -> None:
    """Of counts that come again and again the last ones hold; nothing is added up."""
    if api == "openai":
        partial = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
        events = [{**event, "usage": partial} for event in CHAT_EVENTS[:4]]
        text = data(*events, CHAT_USAGE, CHAT_USAGE, "[DONE]")
    else:
        again = MESSAGE_EVENTS[6]
        text = named(*MESSAGE_EVENTS[:6], {**again, "usage": {"output_tokens": 1}}, again, again)
        text += named(MESSAGE_EVENTS[7])
    asked = await ask(stream(text), api=api, watched=True)
    assert (asked.told, asked.result.usage) == (HI, USAGE)


def ending(api: Api, name: str | None) -> dict[str, Any]:
    """Write an answer that gives this reason for its end."""
    if api == "openai":
        return {**CHAT, "choices": [{**CHAT["choices"][0], "finish_reason": name}]}
    return {**MESSAGE, "stop_reason": name} if api == "anthropic" else {**RESPONSE, "status": name}


@proves(17, *ALL)
async def test_unknown_finish_reason(api: Api) -> None:
    """A reason that nobody knows is `other`, and its own word is kept."""
    asked = await ask(answer(ending(api, "eos")), api=api)
    assert asked.told == HI
    assert asked.result.finish_reason == "other"
    assert "eos" in json.dumps(asked.body)


@proves(17, *ALL)
async def test_no_finish_reason(api: Api) -> None:
    """A body that gives no reason for its end is asked for once more, then interrupted."""
    asked = await ask(answer(ending(api, None)), api=api)
    assert asked.told == Told(
        "interrupted", "Hi", "truncated_stream", "bad_response", retryable=True, requests=2
    )
    assert asked.result.finish_reason is None


@proves(17, "openai")
async def test_null_for_a_finish_reason_in_a_stream(api: Api) -> None:
    """A stream whose reason stays null is interrupted, its text kept."""
    asked = await ask(stream(data(*CHAT_EVENTS[:3], CHAT_USAGE)), api=api, watched=True)
    assert asked.told == Told("interrupted", "Hi", "truncated_stream", "connection", retryable=True)
    assert asked.result.usage is not None
    assert not asked.result.usage.complete


@proves(39)
def test_doubled_job_ids(tmp_path: Path) -> None:
    """Two jobs of one id are refused before anything is sent."""
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi?"}]}
    line = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": body}
    jobs = tmp_path / "jobs.jsonl"
    jobs.write_text((json.dumps(line) + "\n") * 2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        here = ProviderConfig(name="here", api="openai", base_url=url)
        config = Config(providers={"here": here}, default_provider="here")
        with pytest.raises(UsageError, match=r"jobs\.jsonl:2:\s+[^:]*\"a\""):
            run_batch(BatchSettings(jobs=str(jobs), ask=Ask(model="here/m"), quiet=True), config)
        with pytest.raises(BlockingIOError):
            server.accept()


@proves(39, "openai")
async def test_changing_ids_in_a_stream(api: Api) -> None:
    """An id that changes with every event does no harm."""
    events = [{**event, "id": f"c{n}"} for n, event in enumerate(CHAT_EVENTS)]
    assert (await ask(stream(data(*events, "[DONE]")), api=api, watched=True)).told == HI
    bare = [{name: event[name] for name in event if name != "id"} for event in CHAT_EVENTS]
    assert (await ask(stream(data(*bare, "[DONE]")), api=api, watched=True)).told == HI


@proves(39, *BOTH)
async def test_numbers_of_tool_calls(api: Api) -> None:
    """Pieces of tool calls go by their number, in whatever order they come."""
    if api == "openai":
        pieces = [(1, "b", "{"), (0, "a", "{"), (1, None, "}"), (0, "odd", "}")]
        events = [
            chunk({"tool_calls": [{"index": n, "id": id_, "function": {"arguments": text}}]})
            for n, id_, text in pieces
        ]
        text = data(*events, chunk({}, "tool_calls"), "[DONE]")
    else:
        text = named(MESSAGE_EVENTS[0])
        for number, name in ((1, "b"), (0, "a"), (1, ""), (0, "")):
            block = {"type": "tool_use", "id": name, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": "{" if name else "}"}
            if name:
                start = {"type": "content_block_start", "index": number, "content_block": block}
                text += named(start)
            text += named({"type": "content_block_delta", "index": number, "delta": delta})
        text += named(MESSAGE_EVENTS[6], MESSAGE_EVENTS[7])
    asked = await ask(stream(text), api=api, watched=True)
    assert asked.told == Told("succeeded", None)
    if api == "openai":
        calls = asked.body["choices"][0]["message"]["tool_calls"]
        assert [call["function"]["arguments"] for call in calls] == ["{}", "{}"]
    else:
        assert [(one["id"], one["input"]) for one in asked.body["content"]] == [
            ("a", {}),
            ("b", {}),
        ]


DELTAS = MESSAGE_EVENTS[3:5]
ODD_MESSAGES: dict[str, bytes] = {
    "no names": data(*MESSAGE_EVENTS),
    "no block start": named(MESSAGE_EVENTS[0], *DELTAS, *MESSAGE_EVENTS[5:]),
    "two starts": named(MESSAGE_EVENTS[0], *MESSAGE_EVENTS),
    "started anew": named(*MESSAGE_EVENTS[:2], MESSAGE_EVENTS[0], *MESSAGE_EVENTS[1:]),
    "unknown": named(
        MESSAGE_EVENTS[0],
        {"type": "weather", "delta": {"type": "text_delta", "text": "no"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "hum", "text": "no"}},
        *MESSAGE_EVENTS[1:],
    ),
}


@proves(40, "anthropic")
@pytest.mark.parametrize("oddity", ODD_MESSAGES)
async def test_odd_messages(api: Api, oddity: str) -> None:
    """Missing names, starts and unknown events leave the text and the counts as they are."""
    asked = await ask(stream(ODD_MESSAGES[oddity]), api=api, watched=True)
    assert (asked.told, asked.result.usage) == (HI, USAGE)


@proves(40, "anthropic")
async def test_message_without_its_stop(api: Api) -> None:
    """A message that does not stop is interrupted, even after its stop reason."""
    asked = await ask(stream(named(*MESSAGE_EVENTS[:-1])), api=api, watched=True)
    assert asked.told == Told("interrupted", "Hi", "truncated_stream", "connection", retryable=True)
