"""What gateways, proxies and broken servers do beyond the forty cases."""

import json
import zlib
from typing import Any

import pytest

from runner.models import Api, Request
from runner.providers import streaming
from runner.results.encode import encode
from runner.settings import Deadlines
from tests.providers.asking import written
from tests.providers.bodies import CHAT, CHAT_EVENTS, RESPONSE, STREAMED, chunk
from tests.providers.raw_server import answer, data, named, stream
from tests.wire.engine import Told, ask
from tests.wire.table import ALL, BOTH

pytestmark = pytest.mark.anyio

HI = Told("succeeded", "Hi")
AGAIN = Told("succeeded", "Hi", requests=2)
BEGUN = CHAT_EVENTS[:3]
ERROR = Told("interrupted", "Hi", "provider_error", "provider", retryable=True)
STOP = chunk({}, "stop")


@pytest.mark.parametrize("api", BOTH)
@pytest.mark.parametrize("ending", ["close", "reset", "hold"])
async def test_refusal_whose_body_is_cut(api: Api, ending: Any, monkeypatch: Any) -> None:
    """The status decides, however the words of a refusal end, or do not."""
    monkeypatch.setattr("runner.providers.refused_bodies.REFUSAL_S", 0.1)
    reply = answer(b'{"error":', status=400, length=500, ending=ending)
    refused = Told("failed", None, None, "invalid_request", retryable=False)
    assert (await ask(reply, api=api)).told == refused


@pytest.mark.parametrize("watched", [False, True])
async def test_refusal_in_damaged_gzip(watched: bool) -> None:
    """A refusal whose words cannot be unpacked is judged by its status."""
    reply = answer(b"no gzip", status=404, headers={"content-encoding": "gzip"})
    told = (await ask(reply, watched=watched)).told
    assert told == Told("failed", None, None, "not_found", retryable=False)


async def test_refusal_without_end() -> None:
    """Of an endless page under an error status as much is read as a person may need."""
    page = answer(b"x" * 3_000_000, status=400, kind="text/plain", length=10**10, ending="hold")
    asked = await ask(page)
    assert asked.told.kind == "invalid_request"
    assert "xxx" in asked.message


async def test_limits_of_the_account_are_in_no_record() -> None:
    """What headers say of limits is for the pace alone, of answers and of failures."""
    headers = {"x-ratelimit-limit-requests": "7700077", "x-ratelimit-remaining-requests": "1"}
    asked = await ask(answer(CHAT, headers=headers))
    lost = await ask(answer({}, status=400, headers=headers))
    for result in (asked.result, lost.result):
        line = encode(result)
        assert b"7700077" not in line
        assert b"quota" not in line


async def test_no_room_at_flex_price() -> None:
    """Groq's 498 is asked again."""
    assert (await ask(answer({}, status=498), answer(CHAT))).told == AGAIN


async def test_redirect_to_no_address() -> None:
    """A redirect to what is no address is reported as one."""
    reply = answer(b"", status=307, headers={"location": "http://[::1/x"})
    assert (await ask(reply)).told.kind == "invalid_request"


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        ([{"error": {"code": 503, "message": "m"}}], "overloaded", "m"),
        ({"error": "m", "status": 503}, "overloaded", "m"),
        ({"error": True, "message": "m", "status_code": 400}, "invalid_request", "m"),
        ({"error": {"error": {"message": "m"}}}, "provider", "m"),
        ({"success": False, "errors": [{"code": 7, "message": "m"}]}, "provider", "m"),
    ],
)
async def test_error_under_200(body: Any, kind: str, message: str) -> None:
    """Errors of gateways are read in all their shapes."""
    asked = await ask(answer(body))
    assert (asked.told.status, asked.told.kind) == ("failed", kind)
    assert asked.message == message


async def test_error_of_unknown_shape_is_shown() -> None:
    """An error body that is understood by nobody is quoted."""
    assert "apigee" in (await ask(answer({"fault": {"string": "apigee"}}, status=400))).message


@pytest.mark.parametrize("api", ALL)
async def test_stream_that_nobody_asked_for(api: Api) -> None:
    """A server that always streams is understood; a cut keeps its text."""
    assert (await ask(stream(written(api, STREAMED[api])), api=api)).told == HI
    cut = await ask(
        stream(written(api, STREAMED[api][:5][: -1 if api != "anthropic" else 5])),
        api=api,
        max_attempts=1,
    )
    assert (cut.told.status, cut.told.reason) == (
        ("succeeded", None) if api == "openai" else ("interrupted", "truncated_stream")
    )


async def test_other_character_set() -> None:
    """A body in the character set that its header names is read exactly."""
    text = json.dumps(CHAT, ensure_ascii=False).replace("Hi", "Grüße").encode("latin-1")
    asked = await ask(answer(text, kind="application/json; charset=iso-8859-1"))
    assert asked.told.text == "Grüße"


@pytest.mark.parametrize(
    "event",
    [
        b"event: error\ndata: Internal server error\n\n",
        b'event: error\ndata: "busy"\n\n',
        data({"choices": [], "x_groq": {"error": "over capacity"}}),
        data(
            {
                "choices": [
                    {"index": 0, "delta": {}, "finish_reason": "error", "error": {"message": "m"}}
                ]
            }
        ),
        b'data: [{"error": {"code": 500, "message": "m"}}]\n\n',
    ],
)
async def test_error_event(event: bytes) -> None:
    """Error events are read in all their shapes, and what came before is kept."""
    assert (await ask(stream(data(*BEGUN) + event), watched=True)).told == ERROR


@pytest.mark.parametrize("more", [b"data: {broken\n\n", data({"error": {"message": "late"}})])
async def test_trouble_after_the_end(more: bytes) -> None:
    """Nothing takes back an answer that has ended."""
    assert (await ask(stream(data(*CHAT_EVENTS[:4]) + more), watched=True)).told == HI


@pytest.mark.parametrize(
    "events",
    [
        [chunk({"function_call": None}), chunk({"function_call": {"name": "f"}}), *BEGUN, STOP],
        [
            chunk({"tool_calls": [{"index": 0, "function": {"arguments": {"x": 1}}}]}),
            chunk({"tool_calls": [{"index": 0, "function": {"arguments": "x"}}]}),
            *BEGUN,
            STOP,
        ],
        [
            {
                "choices": [
                    {"index": 0, "delta": {"content": "Hi"}, "message": {}, "finish_reason": "stop"}
                ]
            }
        ],
        [{"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}],
        [chunk({"content": {"type": "text", "text": "Hi"}}), STOP],
    ],
)
async def test_odd_chunks(events: list[Any]) -> None:
    """Chunks of odd shapes neither break nor lose an answer."""
    assert (await ask(stream(data(*events, "[DONE]")), watched=True)).told == HI


async def test_tool_calls_without_index() -> None:
    """Calls without an index are told apart by their ids."""
    calls = [[{"id": one, "function": {"name": one, "arguments": "{}"}}] for one in "ab"]
    events = [chunk({"tool_calls": call}) for call in calls]
    asked = await ask(stream(data(*events, chunk({}, "tool_calls"), "[DONE]")), watched=True)
    tools = asked.body["choices"][0]["message"]["tool_calls"]
    assert [tool["function"] for tool in tools] == [
        {"name": one, "arguments": "{}"} for one in "ab"
    ]


async def test_cut_between_two_answers() -> None:
    """Where several answers were asked for, the end of the first is not the end."""
    two = Request(messages=[{"role": "user", "content": "Hi?"}], params={"n": 2})
    cut = stream(data(*BEGUN, STOP), ending="close", terminated=False)
    assert (await ask(cut, watched=True, request=two)).told.status == "interrupted"
    whole = stream(data(*BEGUN, STOP, "[DONE]"))  # a server that knows no `n`
    assert (await ask(whole, watched=True, request=two)).told == HI


async def test_blocks_of_one_number_or_of_no_kind() -> None:
    """Blocks that share a number, or do not say what they are, lose no text."""
    start, opening, _, first, second, stop, *end = STREAMED["anthropic"]
    reply = stream(
        named(start, opening, first, stop, {**opening, "content_block": None}, second, *end)
    )
    assert (await ask(reply, api="anthropic", watched=True)).told == HI


async def test_failed_response_keeps_what_it_counted() -> None:
    """The token counts and text of a failed response are recorded as incomplete."""
    failed = {**RESPONSE, "status": "failed", "error": {"code": "server_error", "message": "m"}}
    events = [*STREAMED["openai-responses"][:4], {"type": "response.failed", "response": failed}]
    for reply, watched in ((stream(named(*events)), True), (answer(failed), False)):
        asked = await ask(reply, api="openai-responses", watched=watched, max_attempts=1)
        assert asked.told == ERROR
        assert asked.result.usage is not None
        assert not asked.result.usage.complete


async def test_responses_events_without_substance() -> None:
    """An item that is null, or a terminal event without its response, breaks nothing."""
    nothing = {"type": "response.output_item.added", "output_index": 0, "item": None}
    begun = STREAMED["openai-responses"]
    cut = await ask(stream(named(begun[0], nothing)), api="openai-responses", max_attempts=1)
    assert cut.told.status == "interrupted"
    done = stream(named(*begun[:4], {"type": "response.completed"}))
    asked = await ask(done, api="openai-responses", watched=True)
    assert (asked.told, asked.result.finish_reason) == (HI, "stop")


async def test_refusal_for_rate_in_mid_answer_counts() -> None:
    """A refusal for rate after output was paid for, so it is not repeated without end."""
    error = {"error": {"message": "m", "code": "rate_limit_exceeded"}}
    asked = await ask(stream(data(*BEGUN, error)), max_attempts=2)
    assert (asked.told.kind, asked.told.requests) == ("rate_limit", 2)


@pytest.mark.parametrize("api", BOTH)
@pytest.mark.parametrize("watched", [False, True])
async def test_more_than_memory_holds(api: Api, watched: bool, monkeypatch: Any) -> None:
    """A body, or one event, that does not end is given up before memory is."""
    monkeypatch.setattr(streaming, "MOST_BYTES", 100_000)
    body = b'data: {"a":"' if watched else b'{"a":"'
    reply = answer(
        body + b"x" * 300_000,
        length=10**10,
        ending="hold",
        kind="text/event-stream" if watched else "application/json",
    )
    told = (await ask(reply, api=api, watched=watched)).told
    assert told == Told("failed", None, None, "bad_response", retryable=False)


async def test_deadline_within_a_compression_bomb() -> None:
    """A deadline is heard while little data unpacks to very much."""
    packed = zlib.compress(b": x\n\n" * 12_000_000, 1)
    reply = answer(packed, kind="text/event-stream", headers={"content-encoding": "deflate"})
    asked = await ask(reply, watched=True, max_attempts=1, deadlines=Deadlines(attempt_s=0.2))
    assert asked.told.reason == "deadline"
    assert asked.result.duration_s is not None
    assert asked.result.duration_s < 2.3
