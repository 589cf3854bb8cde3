"""Exports in the providers' own shapes, judged by the SDKs' types."""

import json
from pathlib import Path
from typing import Any

import pytest

from runner.errors import UsageError
from runner.models import ErrorKind, InterruptionReason, Result
from runner.reading.bodies import api_of
from runner.reading.export import exported
from tests.reading.support import (
    CHAT,
    MESSAGE,
    RESPONSE,
    answer,
    attempt,
    broken,
    failure,
    results_file,
)

KEYS = ["id", "custom_id", "response", "error"]


def openai_lines(folder: Path, results: list[Result]) -> list[dict[str, Any]]:
    """The records as OpenAI batch output."""
    path = results_file(folder, results)
    return [json.loads(line) for line in exported([path], "openai-batch")]


def anthropic_lines(folder: Path, results: list[Result]) -> list[dict[str, Any]]:
    """The records as Anthropic batch results, each judged by the SDK's type."""
    from anthropic.types.messages import MessageBatchIndividualResponse

    path = results_file(folder, results)
    lines = [json.loads(line) for line in exported([path], "anthropic-batch")]
    for line in lines:
        MessageBatchIndividualResponse.model_validate(line, strict=True)
    return lines


def test_openai_lines_hold_the_body_unchanged(tmp_path: Path) -> None:
    """The documented keys, and a body that is a strict ChatCompletion or Response."""
    from openai.types.chat import ChatCompletion
    from openai.types.responses import Response

    chat, response = openai_lines(tmp_path, [answer("a", 1), answer("b", 2, body=RESPONSE)])
    for line in (chat, response):
        assert list(line) == KEYS
        assert line["id"].startswith("batch_req_")
        assert list(line["response"]) == ["status_code", "request_id", "body"]
        assert line["error"] is None
    assert chat["custom_id"] == "a"
    assert chat["response"] == {"status_code": 200, "request_id": "req_9", "body": CHAT}
    assert response["response"]["body"] == RESPONSE
    ChatCompletion.model_validate(chat["response"]["body"], strict=True)
    Response.model_validate(response["response"]["body"], strict=True)
    assert chat["id"] != response["id"]


@pytest.mark.parametrize(
    ("kind", "status", "code", "type_"),
    [
        ("invalid_request", 400, None, "invalid_request_error"),
        ("quota", 429, "insufficient_quota", "insufficient_quota"),
        ("provider", 500, None, "server_error"),
    ],
)
def test_a_refusal_with_a_status_is_a_response(
    kind: ErrorKind, status: int, code: str | None, type_: str, tmp_path: Path
) -> None:
    """A failure that the API answered has its status and an error body, and no error beside it."""
    (line,) = openai_lines(tmp_path, [failure("a", kind=kind, status=status, code=code)])
    assert line["error"] is None
    assert line["response"] == {
        "status_code": status,
        "request_id": "req_1",
        "body": {
            "error": {
                "message": "prompt is too long",
                "type": type_,
                "param": None,
                "code": code,
            }
        },
    }


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (
            failure("a", kind="connection", status=None),
            {"code": "connection", "message": "prompt is too long"},
        ),
        (
            failure("a", kind="schema", status=200, code="x"),
            {"code": "x", "message": "prompt is too long"},
        ),
        (
            broken("a", 1, "sigint"),
            {"code": "batch_cancelled", "message": "because of sigint"},
        ),
        (
            broken("a", 1, "deadline"),
            {"code": "request_timeout", "message": "because of deadline"},
        ),
        (
            broken("a", 1, "truncated_stream"),
            {"code": "truncated_stream", "message": "because of truncated_stream"},
        ),
        (
            Result(id="a", digest="d", line=1, status="failed"),
            {"code": "unknown", "message": "no reason is recorded"},
        ),
    ],
)
def test_what_the_api_did_not_answer_is_an_error(
    result: Result, error: dict[str, str], tmp_path: Path
) -> None:
    """Without an HTTP answer, or with half of one, there is no response but a code and message."""
    (line,) = openai_lines(tmp_path, [result])
    assert (line["response"], line["error"]) == (None, error)


def test_a_request_id_is_null_where_none_is_known(tmp_path: Path) -> None:
    """An unknown id is not made up; that of the last attempt stands for the answer."""
    first, second = openai_lines(
        tmp_path,
        [
            answer("a", 1, attempts=[]),
            answer("b", 2, attempts=[attempt("overloaded", "req_1"), attempt("ok", "req_2")]),
        ],
    )
    assert first["response"]["request_id"] is None
    assert second["response"]["request_id"] == "req_2"


def test_anthropic_lines_parse_under_the_sdks_type(tmp_path: Path) -> None:
    """An answer has its message unchanged; stopped is canceled, out of time is expired."""
    reasons: list[InterruptionReason] = ["sigterm", "idle", "connection"]
    records = [answer("a", 1, body=MESSAGE)]
    records += [broken(reason, 2 + n, reason) for n, reason in enumerate(reasons)]
    lines = anthropic_lines(tmp_path, records)
    assert lines[0] == {"custom_id": "a", "result": {"type": "succeeded", "message": MESSAGE}}
    assert [line["result"]["type"] for line in lines[1:]] == ["canceled", "expired", "errored"]
    assert lines[3]["result"]["error"]["error"] == {
        "type": "api_error",
        "message": "because of connection",
    }


@pytest.mark.parametrize(
    ("kind", "status", "type_"),
    [
        ("invalid_job", None, "invalid_request_error"),
        ("invalid_request", 400, "invalid_request_error"),
        ("auth", 401, "authentication_error"),
        ("auth", 403, "permission_error"),
        ("quota", 402, "billing_error"),
        ("not_found", 404, "not_found_error"),
        ("rate_limit", 429, "rate_limit_error"),
        ("overloaded", 529, "overloaded_error"),
        ("timeout", None, "timeout_error"),
        ("provider", 500, "api_error"),
        ("bad_response", 200, "api_error"),
    ],
)
def test_every_kind_of_failure_has_its_anthropic_type(
    kind: ErrorKind, status: int | None, type_: str, tmp_path: Path
) -> None:
    """Failures are errored, with the API's own word for them and the request's id."""
    (line,) = anthropic_lines(tmp_path, [failure("a", kind=kind, status=status)])
    assert line["result"] == {
        "type": "errored",
        "error": {
            "type": "error",
            "error": {"type": type_, "message": "prompt is too long"},
            "request_id": "req_1",
        },
    }


def test_a_failure_without_a_reason_is_still_in_shape(tmp_path: Path) -> None:
    """A record that names neither error nor interruption parses all the same."""
    (line,) = anthropic_lines(tmp_path, [Result(id="a", digest="d", line=1, status="failed")])
    assert line["result"]["error"]["error"]["message"] == "no reason is recorded"


@pytest.mark.parametrize(
    ("shape", "results", "told"),
    [
        (
            "openai-batch",
            [answer("a", 1, body=MESSAGE), answer("b", 2)],
            ["1 answer of Anthropic's API", "--as anthropic-batch"],
        ),
        ("anthropic-batch", [answer("a")], ["1 answer of OpenAI's APIs", "--as openai-batch"]),
        (
            "openai-batch",
            [answer("a", response=None), answer("b", 2, body={"x": 1})],
            ["1 answer without the provider's body", "1 answer whose body is of no known API"],
        ),
    ],
)
def test_answers_of_another_api_are_refused_before_anything_is_written(
    shape: str, results: list[Result], told: list[str], tmp_path: Path
) -> None:
    """How many do not fit and which export is theirs."""
    path = results_file(tmp_path, results)
    with pytest.raises(UsageError) as raised:
        exported([path], shape)
    assert all(text in str(raised.value) for text in told)


@pytest.mark.parametrize(
    ("body", "api"),
    [
        (CHAT, "openai"),
        (RESPONSE, "openai-responses"),
        (MESSAGE, "anthropic"),
        ({"choices": []}, "openai"),
        ({"output": []}, "openai-responses"),
        ({"content": []}, "anthropic"),
        ({"object": "list"}, None),
        ([1], None),
    ],
)
def test_the_api_is_told_by_the_body(body: object, api: str | None) -> None:
    """By its name, and where a compatible server leaves that out by its keys."""
    assert api_of(json.dumps(body).encode()) == api
