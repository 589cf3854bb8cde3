"""Faults: each kind reaches the caller as the breakage it is named after."""

import http.client
import json
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from tests.simulated import (
    Endpoints,
    reset_stats,
    scenario_file,
    simulator_in_thread,
    stats,
    wait_for_stats,
)
from tests.simulator.asking import APIS, PATHS, Reply, body_for, connect, headers_for, post

FAULTS = {
    "teapot": "kind = 'status', status = 418, code = 'short', message = 'and stout'",
    "five-oh-oh": "kind = 'status', status = 500",
    "busy": "kind = 'overloaded'",
    "rate": "kind = 'rate_limit', retry_after_s = 1.5",
    "quota": "kind = 'quota'",
    "auth": "kind = 'auth'",
    "html": "kind = 'garbage'",
    "own-body": 'kind = \'garbage\', status = 202, body = \'{"error": {"code": "odd"}}\'',
    "empty": "kind = 'empty'",
    "reset-early": "kind = 'reset'",
    "close-early": "kind = 'close'",
    "reset-late": "kind = 'reset', after_tokens = 3",
    "close-late": "kind = 'close', after_tokens = 3",
    "truncate": "kind = 'truncate', after_tokens = 3",
    "halfway": "kind = 'truncate'",
    "stall-early": "kind = 'stall', seconds = 0.05",
    "stall-late": "kind = 'stall', seconds = 0.05, after_tokens = 3",
    "stall-first": "kind = 'stall', after_tokens = 0",
    "for-ever": "kind = 'stall'",
    "event": "kind = 'error_event', after_tokens = 3",
    "event-first": "kind = 'error_event', after_tokens = 0, status = 429",
    "event-nested": "kind = 'error_event', after_tokens = 3, form = 'nested'",
    "event-failed": "kind = 'error_event', after_tokens = 3, form = 'failed'",
}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator in which the prompt names the fault."""
    lines = ["[speed]\nfirst_token_s = 0.0\ntokens_per_second = 5000\n"]
    lines += [
        f"[[rules]]\nmatch = '^{name}$'\nfault = {{ {fault} }}\nreply = {{ tokens = 10 }}\n"
        for name, fault in FAULTS.items()
    ]
    path = scenario_file(tmp_path_factory.mktemp("faulty"), "\n".join(lines))
    with simulator_in_thread(path) as endpoints:
        yield endpoints


@pytest.mark.parametrize(
    ("fault", "api", "status", "expected"),
    [
        ("teapot", "chat", 418, {"type": "invalid_request_error", "code": "short"}),
        ("teapot", "messages", 418, {"type": "api_error", "message": "and stout"}),
        ("five-oh-oh", "responses", 500, {"type": "server_error", "code": "server_error"}),
        ("five-oh-oh", "messages", 500, {"type": "api_error"}),
        ("busy", "chat", 503, {"code": "server_is_overloaded"}),
        ("busy", "messages", 529, {"type": "overloaded_error", "message": "Overloaded"}),
        ("rate", "chat", 429, {"type": "requests", "code": "rate_limit_exceeded"}),
        ("rate", "messages", 429, {"type": "rate_limit_error"}),
        ("quota", "responses", 429, {"type": "insufficient_quota", "code": "insufficient_quota"}),
        ("quota", "messages", 429, {"details": {"error_code": "enforced_spend_limit_reached"}}),
        ("auth", "chat", 401, {"code": "invalid_api_key"}),
        ("auth", "messages", 401, {"type": "authentication_error"}),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_refusals(
    faulty: Endpoints, fault: str, api: str, status: int, expected: dict[str, Any], stream: bool
) -> None:
    """A fault told in words has the API's own status and body, streamed or not."""
    reply = post(faulty, api, body_for(api, fault, stream=stream))
    assert reply.status == status
    error = reply.json()["error"]
    assert {key: error[key] for key in expected} == expected
    assert reply.headers["content-type"] == "application/json"


def test_retry_after(faulty: Endpoints) -> None:
    """A wait is told in whole seconds, and to OpenAI's callers in milliseconds, too."""
    chat = post(faulty, "chat", body_for("chat", "rate")).headers
    assert (chat["retry-after"], chat["retry-after-ms"]) == ("2", "1500")
    theirs = post(faulty, "messages", body_for("messages", "rate")).headers
    assert theirs["retry-after"] == "2"
    assert "retry-after-ms" not in theirs


@pytest.mark.parametrize("api", APIS)
def test_garbage(faulty: Endpoints, api: str) -> None:
    """A proxy's page, a body of one's own and an empty body come as written."""
    page = post(faulty, api, body_for(api, "html", stream=True))
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.body.startswith(b"<!DOCTYPE html>")
    own = post(faulty, api, body_for(api, "own-body"))
    assert (own.status, own.headers["content-type"]) == (202, "application/json")
    assert own.json() == {"error": {"code": "odd"}}
    empty = post(faulty, api, body_for(api, "empty"))
    assert (empty.status, empty.body) == (200, b"")


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("stream", [False, True])
def test_reset(faulty: Endpoints, api: str, stream: bool) -> None:
    """A reset is a real one (RST), before the first byte or amid the body."""
    with pytest.raises(ConnectionResetError):
        post(faulty, api, body_for(api, "reset-early", stream=stream))
    with pytest.raises(ConnectionResetError):
        post(faulty, api, body_for(api, "reset-late", stream=stream))


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("stream", [False, True])
def test_close(faulty: Endpoints, api: str, stream: bool) -> None:
    """A close leaves the caller without an answer, or with a part of one."""
    with pytest.raises(http.client.RemoteDisconnected):
        post(faulty, api, body_for(api, "close-early", stream=stream))
    with pytest.raises(http.client.IncompleteRead) as cut:
        post(faulty, api, body_for(api, "close-late", stream=stream))
    assert cut.value.partial


def deltas(api: str, reply: Reply) -> int:
    """Count the events that carry text."""
    marks = {
        "chat": lambda event: event["choices"][0]["delta"].get("content"),
        "responses": lambda event: event["type"] == "response.output_text.delta",
        "messages": lambda event: event["type"] == "content_block_delta",
    }
    return sum(bool(marks[api](event)) for event in reply.events() if "error" not in event)


@pytest.mark.parametrize("api", APIS)
def test_truncate(faulty: Endpoints, api: str) -> None:
    """A truncated answer ends politely, without its end."""
    streamed = post(faulty, api, body_for(api, "truncate", stream=True))
    assert deltas(api, streamed) == 3
    assert b'finish_reason":"' not in streamed.body
    assert b"_stop" not in streamed.body
    assert b'completed"' not in streamed.body
    assert b"[DONE]" not in streamed.body
    assert deltas(api, post(faulty, api, body_for(api, "halfway", stream=True))) == 5
    whole = post(faulty, api, body_for(api, "truncate"))
    assert whole.status == 200
    with pytest.raises(json.JSONDecodeError):
        whole.json()


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("stream", [False, True])
def test_stall(faulty: Endpoints, api: str, stream: bool) -> None:
    """A bounded stall ends with the connection, before or amid the answer."""
    with pytest.raises(http.client.RemoteDisconnected):
        post(faulty, api, body_for(api, "stall-early", stream=stream))
    with pytest.raises(http.client.IncompleteRead) as cut:
        post(faulty, api, body_for(api, "stall-late", stream=stream))
    assert cut.value.partial


@pytest.mark.parametrize("fault", ["for-ever", "stall-first"])
def test_stall_without_end(faulty: Endpoints, fault: str) -> None:
    """An endless stall lasts until the caller leaves, which is counted."""
    reset_stats(faulty)
    connection = connect(faulty)
    asked = json.dumps(body_for("chat", fault, stream=True))
    connection.request("POST", PATHS["chat"], asked, headers_for("chat"))
    wait_for_stats(faulty, lambda found: found["faults"] == {"stall": 1})
    connection.close()
    found = wait_for_stats(faulty, lambda found: found["in_flight"] == 0)
    assert (found["disconnects"], found["completed"]) == (1, 0)


def test_error_events(faulty: Endpoints) -> None:
    """An error amid a stream comes after the tokens, in each API's own form."""
    chat = post(faulty, "chat", body_for("chat", "event", stream=True))
    assert deltas("chat", chat) == 3
    assert chat.events()[-1]["error"]["code"] == "server_is_overloaded"
    theirs = post(faulty, "messages", body_for("messages", "event", stream=True))
    assert b"event: error\n" in theirs.body
    assert theirs.events()[-1]["error"]["type"] == "overloaded_error"
    flat, nested, failed = (
        post(faulty, "responses", body_for("responses", name, stream=True)).events()
        for name in ("event", "event-nested", "event-failed")
    )
    assert flat[-1]["type"] == "error"
    assert flat[-1]["code"] == "server_is_overloaded"
    assert flat[-1]["sequence_number"] == len(flat) - 1
    assert nested[-1]["error"]["code"] == "server_is_overloaded"
    assert failed[-1]["type"] == "response.failed"
    assert failed[-1]["response"]["error"]["code"] == "server_error"


@pytest.mark.parametrize("api", APIS)
def test_error_as_first_event(faulty: Endpoints, api: str) -> None:
    """An error after no token is the first and only event under HTTP 200."""
    reply = post(faulty, api, body_for(api, "event-first", stream=True))
    assert reply.status == 200
    (event,) = reply.events()
    error = event.get("error", event)
    expected = "rate_limit_error" if api == "messages" else "rate_limit_exceeded"
    assert expected in {error["type"], error.get("code")}


def test_error_events_without_a_stream(faulty: Endpoints) -> None:
    """Where nothing is streamed the error is a status, or a failed response."""
    assert post(faulty, "chat", body_for("chat", "event")).status == 503
    assert post(faulty, "messages", body_for("messages", "event")).status == 529
    response = post(faulty, "responses", body_for("responses", "event"))
    assert (response.status, response.json()["status"]) == (200, "failed")


def test_sdks_meet_the_faults(faulty: Endpoints) -> None:
    """The SDKs raise their own errors for them."""
    client = openai.OpenAI(base_url=faulty.openai_base_url, api_key="k", max_retries=0)
    asked: Any = [{"role": "user", "content": "rate"}]
    with client, pytest.raises(openai.RateLimitError) as limited:
        client.chat.completions.create(model="m", messages=asked)
    assert limited.value.code == "rate_limit_exceeded"
    assert limited.value.request_id
    theirs = anthropic.Anthropic(base_url=faulty.anthropic_base_url, api_key="k", max_retries=0)
    asked = [{"role": "user", "content": "event"}]
    with theirs, pytest.raises(anthropic.APIStatusError) as overloaded:
        list(theirs.messages.create(model="m", max_tokens=9, messages=asked, stream=True))
    assert (overloaded.value.status_code, overloaded.value.type) == (200, "overloaded_error")


def test_first_attempts_fail(tmp_path: Path) -> None:
    """A rule for the first attempts counts the same body only, streamed or not."""
    text = "[[rules]]\nattempts = 2\nfault = { kind = 'status', status = 503 }\n"
    with simulator_in_thread(scenario_file(tmp_path, text)) as endpoints:
        asked = body_for("chat")
        streamed = {**asked, "stream": True, "stream_options": {"include_usage": True}}
        assert post(endpoints, "chat", asked).status == 503
        assert post(endpoints, "chat", streamed).status == 503
        assert post(endpoints, "chat", body_for("chat", "other")).status == 503
        assert post(endpoints, "chat", asked).status == 200
        found = stats(endpoints)
        assert sorted(found["by_hash"].values()) == [1, 3]
        assert found["errors"] == {"503": 3}
        reset_stats(endpoints)
        assert post(endpoints, "chat", asked).status == 503


def test_a_caller_who_resets_is_counted(scripted: Endpoints) -> None:
    """A caller who breaks off before sending all of the body is a disconnect."""
    before = stats(scripted)["disconnects"]
    connection = connect(scripted)
    connection.connect()
    connection.putrequest("POST", PATHS["chat"])
    connection.putheader("content-length", "100")
    connection.endheaders(b"{")
    wait_for_stats(scripted, lambda found: found["in_flight"] == 1)
    linger = struct.pack("ii", 1, 0)
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    connection.close()
    wait_for_stats(scripted, lambda found: found["disconnects"] == before + 1)
