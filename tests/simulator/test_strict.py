"""Strictness: what the real APIs refuse is refused here, in the API's own words and shape."""

from typing import Any

import pytest

from tests.simulated import Endpoints
from tests.simulator.asking import APIS, body_for, headers_for, post

PICTURE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
USER = {"role": "user", "content": "x"}
OLD = {"anthropic-version": "2023-06-01"}


def said(scripted: Endpoints, api: str, body: Any, headers: dict[str, str] | None = None) -> Any:
    """Post a body that must be refused with 400; return the API's error."""
    reply = post(scripted, api, body, headers=headers)
    assert reply.status == 400, reply.body
    error = reply.json()["error"]
    assert error["type"] == "invalid_request_error"
    if api == "messages":
        assert reply.json()["type"] == "error"
        assert reply.json()["request_id"] == reply.headers["request-id"]
    else:
        assert set(error) == {"message", "type", "param", "code"}
        assert reply.headers["x-request-id"].startswith("req_")
    return error


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    ("more", "param", "code"),
    [
        ({"colour": 1}, "colour", "unknown_parameter"),
        ({"model": None}, "model", "invalid_type"),
        ({"model": 7}, "model", "invalid_type"),
        ({"stream": "yes"}, "stream", "invalid_type"),
        ({"tools": {}}, "tools", "invalid_type"),
        ({"metadata": []}, "metadata", "invalid_type"),
        ({"service_tier": "gold"}, "service_tier", "invalid_value"),
    ],
)
def test_parameters_of_every_api(
    scripted: Endpoints, api: str, more: dict[str, Any], param: str, code: str
) -> None:
    """Unknown names, wrong types and wrong values are refused and named."""
    error = said(scripted, api, body_for(api, **more))
    assert param in error["message"]
    if api != "messages":
        assert (error["param"], error["code"]) == (param, code)


@pytest.mark.parametrize(
    ("api", "more", "words"),
    [
        ("chat", {"temperature": "hot"}, "expected number, but got string"),
        ("chat", {"temperature": 2.5}, "expected a value <= 2"),
        ("chat", {"max_tokens": 0}, "expected a value >= 1"),
        ("chat", {"max_tokens": 1.5}, "expected integer, but got number"),
        ("chat", {"n": 129}, "expected a value <= 128"),
        ("chat", {"max_tokens": 5, "max_completion_tokens": 5}, "at the same time"),
        ("chat", {"stream_options": {"include_usage": True}}, "only allowed when 'stream'"),
        ("chat", {"stream": True, "stream_options": {"usage": True}}, "stream_options.usage"),
        ("chat", {"stream": True, "stream_options": {"include_usage": 1}}, "expected boolean"),
        ("chat", {"max_output_tokens": 5}, "Unknown parameter: 'max_output_tokens'"),
        ("chat", {"reasoning_effort": "huge"}, "supported values are: 'none'"),
        ("chat", {"messages": []}, "empty array"),
        ("chat", {"messages": "hello"}, "expected array"),
        ("chat", {"messages": ["hello"]}, "expected an object, but got string"),
        ("chat", {"messages": [{"role": "robot", "content": "x"}]}, "'robot'; supported values"),
        ("chat", {"messages": [{"content": "x"}]}, "'messages[0].role'"),
        ("chat", {"messages": [{"role": "user"}]}, "'messages[0].content'"),
        ("chat", {"messages": [{**USER, "mood": 1}]}, "'messages[0].mood'"),
        ("chat", {"messages": [{"role": "tool", "content": "x"}]}, "tool_call_id"),
        ("chat", {"messages": [{"role": "user", "content": 5}]}, "expected a string or an array"),
        ("chat", {"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "'image'"),
        ("chat", {"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "got null"),
        ("responses", {"max_tokens": 5}, "Unknown parameter: 'max_tokens'"),
        ("responses", {"messages": [USER]}, "Unknown parameter: 'messages'"),
        ("responses", {"input": []}, "empty array"),
        ("responses", {"input": {"a": 1}}, "expected string or array"),
        ("responses", {"input": [{"type": "letter"}]}, "'letter'"),
        ("responses", {"input": [{"role": "tool", "content": "x"}]}, "'tool'"),
        ("responses", {"input": [{"role": "user"}]}, "'input[0].content'"),
        ("responses", {"input": [{"role": "user", "content": [{"type": "text"}]}]}, "'text'"),
        ("responses", {"stream_options": {}}, "only allowed when 'stream'"),
        ("messages", {"max_tokens": None}, "max_tokens: expected integer"),
        ("messages", {"max_tokens": -1}, "max_tokens: expected a value >= 0"),
        ("messages", {"temperature": 1}, "temperature: no longer supported"),
        ("messages", {"top_k": 5}, "top_k: no longer supported"),
        ("messages", {"top_p": 0.5}, "top_p: no longer supported"),
        ("messages", {"stream_options": {}}, "stream_options: Extra inputs"),
        ("messages", {"stop": "x"}, "stop: Extra inputs"),
        ("messages", {"messages": []}, "at least one message"),
        ("messages", {"messages": [7]}, "messages.0: Input should be an object"),
        ("messages", {"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
        ("messages", {"messages": [{**USER, "name": "a"}]}, "messages.0.name: Extra inputs"),
        ("messages", {"messages": [{"role": "user", "content": ""}]}, "non-empty content"),
        ("messages", {"messages": [{"role": "user"}]}, "messages.0.content"),
        ("messages", {"messages": [{"role": "user", "content": [{"type": "video"}]}]}, "'video'"),
        ("messages", {"system": [{"type": "text", "text": ""}]}, "system.0: text content"),
        ("messages", {"system": [{"type": "text"}]}, "system.0.text"),
        (
            "messages",
            {"messages": [{"role": "assistant", "content": [{"type": "document"}]}]},
            "document blocks",
        ),
        (
            "messages",
            {
                "messages": [
                    {"role": "user", "content": [{"type": "text", "text": "x", "citations": [1]}]}
                ]
            },
            "citations",
        ),
    ],
)
def test_parameters_of_one_api(
    scripted: Endpoints, api: str, more: dict[str, Any], words: str
) -> None:
    """Each API's own rules are kept, and the refusal says which one was broken."""
    assert words in said(scripted, api, body_for(api, **more))["message"]


@pytest.mark.parametrize(
    ("api", "name"),
    [
        ("chat", "model"),
        ("chat", "messages"),
        ("responses", "model"),
        ("responses", "input"),
        ("messages", "model"),
        ("messages", "max_tokens"),
        ("messages", "messages"),
    ],
)
def test_required(scripted: Endpoints, api: str, name: str) -> None:
    """What an API needs is asked for by name."""
    body = body_for(api)
    del body[name]
    assert name in said(scripted, api, body)["message"]


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"null", b'"x"', b"\xff\xfe", b'{"a": NaN}'])
def test_bodies_that_are_no_object(scripted: Endpoints, api: str, body: bytes) -> None:
    """A body that is not a JSON object is refused."""
    assert "JSON" in said(scripted, api, body)["message"]


@pytest.mark.parametrize("api", APIS)
def test_content_type(scripted: Endpoints, api: str) -> None:
    """A body must say that it is JSON."""
    headers = {**headers_for(api), "content-type": "text/plain"}
    assert "Content-Type" in said(scripted, api, body_for(api), headers)["message"]


def test_anthropic_versions(scripted: Endpoints) -> None:
    """The version is needed and decides over temperature and the system role."""
    warm = body_for("messages", temperature=0.5)
    headers = headers_for("messages")
    assert post(scripted, "messages", warm, headers={**headers, **OLD}).status == 200
    hot = body_for("messages", temperature=1.5)
    assert "<= 1" in said(scripted, "messages", hot, {**headers, **OLD})["message"]
    odd = {**headers, "anthropic-version": "newest"}
    assert "not a valid version" in said(scripted, "messages", body_for("messages"), odd)["message"]
    del headers["anthropic-version"]
    assert "required" in said(scripted, "messages", body_for("messages"), headers)["message"]
    system = body_for("messages", messages=[{"role": "system", "content": "x"}, USER])
    assert post(scripted, "messages", system).status == 200
    old = {**headers_for("messages"), **OLD}
    assert "'user' or 'assistant'" in said(scripted, "messages", system, old)["message"]


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("key", ["", "bad-key-0123456789"])
def test_keys(scripted: Endpoints, api: str, key: str) -> None:
    """A missing or bad key is 401, and the key is not repeated whole."""
    headers = headers_for(api, key)
    if not key:
        del headers["authorization"]
    reply = post(scripted, api, body_for(api), headers=headers)
    assert reply.status == 401
    kind = "authentication_error" if api == "messages" else "invalid_request_error"
    assert reply.json()["error"]["type"] == kind
    assert b"0123456789" not in reply.body
    if api != "messages":
        assert reply.json()["error"]["code"] == ("invalid_api_key" if key else None)


def test_x_api_key_is_anthropic_only(scripted: Endpoints) -> None:
    """Anthropic takes both headers for the key, OpenAI only Bearer."""
    for api, status in (("messages", 200), ("chat", 401), ("responses", 401)):
        headers = headers_for(api)
        del headers["authorization"]
        headers["x-api-key"] = "k"
        assert post(scripted, api, body_for(api), headers=headers).status == status


@pytest.mark.parametrize("api", APIS)
def test_broke(scripted: Endpoints, api: str) -> None:
    """A key without credit gets the refusal that no waiting cures."""
    reply = post(scripted, api, body_for(api), headers=headers_for(api, "broke"))
    error = reply.json()["error"]
    assert reply.status == 429
    assert "retry-after" not in reply.headers
    if api == "messages":
        assert error["details"] == {"error_code": "enforced_spend_limit_reached"}
    else:
        assert (error["type"], error["code"]) == ("insufficient_quota", "insufficient_quota")


@pytest.mark.parametrize("api", APIS)
def test_unknown_model(scripted: Endpoints, api: str) -> None:
    """A model that does not exist is 404 in the API's shape."""
    reply = post(scripted, api, body_for(api, model="unknown-9"))
    error = reply.json()["error"]
    assert reply.status == 404
    assert "unknown-9" in error["message"]
    if api == "messages":
        assert error["type"] == "not_found_error"
    else:
        assert error["code"] == "model_not_found"


@pytest.mark.parametrize(
    ("api", "path"), [("chat", "/chat/completions"), ("messages", "/v1/v1/messages")]
)
def test_wrong_paths(scripted: Endpoints, api: str, path: str) -> None:
    """A wrong path or method is an error in the API's own shape."""
    reply = post(scripted, api, body_for(api), path=path)
    assert reply.status == 404
    assert "message" in reply.json()["error"]
    assert ("request_id" in reply.json()) == (api == "messages")
    assert post(scripted, api, b"", method="GET").status == 405


def test_too_large(scripted: Endpoints) -> None:
    """Anthropic takes 32 MB and not a byte more; OpenAI names no bound."""
    prompt = "x" * (32 * 1024 * 1024)
    reply = post(scripted, "messages", body_for("messages", prompt))
    assert (reply.status, reply.json()["error"]["type"]) == (413, "request_too_large")
    assert post(scripted, "chat", body_for("chat", prompt)).status == 200


@pytest.mark.parametrize(
    ("api", "more"),
    [
        ("chat", {"messages": [{"role": role, "content": "x"} for role in ("developer", "user")]}),
        ("chat", {"messages": [{"role": "assistant", "tool_calls": [{}]}, USER]}),
        ("chat", {"messages": [{"role": "user", "content": [PICTURE]}]}),
        ("chat", {"temperature": None, "max_tokens": None, "stop": ["x"], "seed": 7}),
        ("responses", {"input": [{"type": "reasoning", "summary": []}, USER]}),
        ("responses", {"input": [{"type": "function_call_output", "output": "x"}]}),
        ("responses", {"conversation": "conv_1", "store": False}),
        ("messages", {"system": [{"type": "text", "text": "x"}], "stop_sequences": ["x"]}),
        ("messages", {"messages": [USER, {"role": "assistant", "content": "The"}]}),
        ("messages", {"thinking": {"type": "adaptive"}, "metadata": {"user_id": "x"}}),
        (
            "messages",
            {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": "x"}]}]},
        ),
    ],
)
def test_what_is_allowed(scripted: Endpoints, api: str, more: dict[str, Any]) -> None:
    """Strict does not mean narrow: what the APIs take is taken."""
    assert post(scripted, api, body_for(api, **more)).status == 200


def test_responses_by_stored_prompt(scripted: Endpoints) -> None:
    """Responses can do without input where a stored prompt is named."""
    assert post(scripted, "responses", {"model": "m", "prompt": {"id": "pmpt_1"}}).status == 200
