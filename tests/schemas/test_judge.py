"""Answers held against a schema: what fits is kept as it was written, what does not is told why."""

import os
import sys
from typing import Any

import pytest
from msgspec import Raw

from runner.errors import ProviderError, UsageError
from runner.models import Completion, FinishReason, Job, Request, Usage
from runner.schemas.judge import Judge
from runner.schemas.reading import schema_of

SCHEMA = schema_of(
    {
        "type": "object",
        "properties": {
            "people": {"type": "array", "items": {"required": ["age"]}},
            "mood": {"enum": ["good", "bad"]},
            "day": {"type": "string", "format": "date"},
            "a/b": {"type": "integer"},
        },
        "additionalProperties": False,
    }
)
JOB = Job(
    id="j", digest="d", line=1, provider="p", model="m", request=Request(messages=[], schema=SCHEMA)
)


def judged(text: str | None, finish: FinishReason = "stop", **more: Any) -> Completion:
    """Hold an answer against the schema."""
    return Judge(SCHEMA)(JOB, Completion(text=text, finish_reason=finish, **more))


def misfit(text: str | None, finish: FinishReason = "stop", **more: Any) -> ProviderError:
    """Give the failure that an answer is."""
    with pytest.raises(ProviderError) as caught:
        judged(text, finish, **more)
    assert caught.value.kind == "schema"
    return caught.value


def test_what_fits_is_kept_as_it_was_written() -> None:
    """No number changes on the way, and white space around it goes."""
    text = ' {"a/b": 12345678901234567890123, "people": [{"age": 1.50}]}\n'
    assert judged(text).parsed == Raw(text.strip().encode())


def test_a_job_without_a_schema_is_not_judged() -> None:
    """Its answer is handed back untouched."""
    completion = Completion(text="no JSON")
    bare = Job(id="j", digest="d", line=1, provider="p", model="m", request=Request())
    assert Judge(SCHEMA)(bare, completion) is completion


def test_a_schema_that_was_not_announced_is_compiled_when_it_is_met(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A job that an earlier run sent in a batch is held against the schema that it brought."""
    assert Judge()(JOB, Completion(text="{}")).parsed == Raw(b"{}")
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    with pytest.raises(UsageError, match="is not installed"):
        Judge()(JOB, Completion(text="{}"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"people": [{"age": 1}, {}]}', 'at /people/1: "age" is a required property'),
        ('{"mood": "so-so"}', 'at /mood: the answer is not one of "good" or "bad"'),
        ('{"day": "yesterday"}', 'at /day: the answer is not a "date"'),
        ('{"a/b": "1"}', "at /a~1b: the answer is not of type"),
        ("[]", 'at the top: the answer is not of type "object"'),
        ('{"x": 1, "mood": 2}', "(1 more fault)"),
        ("Sure! Here it is", "begins with other words"),
        ('```json\n{"mood": "good"}\n```', "code fence"),
        ('{"mood": "good"', "the answer is not JSON"),
        ('{"mood": NaN}', "the answer is not JSON"),
        ("", "empty"),
        (None, "empty"),
        ("[" * 300 + "]" * 300, "more than 256 levels"),
        ("[" * 100_000, "the answer is not JSON"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(text: str | None, words: str) -> None:
    """The message says where and what, and the values themselves are not in it."""
    error = misfit(text)
    assert words in error.message
    assert "so-so" not in error.message


@pytest.mark.parametrize(
    ("text", "finish", "words"),
    [
        ('{"mood": "go', "length", "cut off at the token limit"),
        (
            "I cannot do that.",
            "content_filter",
            'refused, or a filter stopped it, instead of JSON: "I',
        ),
        ("{}", "content_filter", "refused"),
        (None, "tool_calls", "call of a tool"),
        ("Let me look", "pause", "paused"),
    ],
)
def test_an_answer_that_ended_otherwise_says_how(
    text: str | None, finish: FinishReason, words: str
) -> None:
    """A cut, a refusal, a tool call and a pause are named as such."""
    assert words in misfit(text, finish).message


def test_a_cut_answer_that_fits_all_the_same_is_one() -> None:
    """The token limit may fall on the last brace."""
    assert judged('{"mood": "bad"}', "length").parsed == Raw(b'{"mood": "bad"}')


def test_all_that_came_stays_with_the_failure() -> None:
    """Text, usage, body and request id are kept, and nobody asks again by himself."""
    usage = Usage(input_tokens=1, output_tokens=2)
    error = misfit("[]", usage=usage, response=Raw(b"{}"), request_id="req_1")
    assert error.completion is not None
    assert (error.completion.text, error.completion.parsed) == ("[]", None)
    assert (error.completion.usage, error.completion.response) == (usage, Raw(b"{}"))
    assert (error.request_id, error.retryable, error.fatal) == ("req_1", False, False)


def test_messages_are_bounded_and_hold_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a name or a refusal is; a key in it is blotted out."""
    monkeypatch.setitem(os.environ, "SOME_API_KEY", "sk-0123456789")
    assert len(misfit('{"' + "x" * 9999 + '": 1}').message) < 500
    assert len(misfit("no " * 9999, "content_filter").message) < 500
    assert "sk-0123456789" not in misfit('{"sk-0123456789": 1}').message
