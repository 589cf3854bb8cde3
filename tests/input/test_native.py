"""The native shape."""

from typing import Any

import msgspec
import pytest

from runner.models import Request
from tests.input.helpers import parse, problem

USER = {"role": "user", "content": "hi"}


def test_a_prompt_is_a_user_message() -> None:
    """The shortest job is asked of the model of the options."""
    job = parse({"prompt": "hi"})
    assert (job.provider, job.model, job.line, job.metadata) == ("sim", "steady", 3, None)
    assert job.request == Request(messages=[USER])


def test_every_key_reaches_the_request() -> None:
    """All keys of a native job are taken over as they are."""
    line = {
        "id": "a7",
        "messages": [{"role": "assistant", "tool_calls": [], "name": "x"}, USER],
        "model": "openai/gpt/odd",
        "system": "Be brief.",
        "max_tokens": 5,
        "params": {"temperature": 0, "stop": ["\n"]},
        "metadata": None,
    }
    job = parse(line)
    assert (job.id, job.provider, job.model) == ("a7", "openai", "gpt/odd")
    assert job.metadata is None
    assert job.request == Request(
        messages=[{"role": "assistant", "tool_calls": [], "name": "x"}, USER],
        system="Be brief.",
        max_tokens=5,
        params={"temperature": 0, "stop": ["\n"]},
    )


@pytest.mark.parametrize("text", ["1e2", "[1.00,\t2 ]", '"\\u00e9"', '{"b":1,"a":[]}', "false"])
def test_metadata_is_echoed_as_it_was_written(text: str) -> None:
    """Metadata keeps its spelling, so nothing of it is lost by decoding."""
    job = parse(b'\t{"prompt": "hi", "metadata":' + text.encode() + b"}\r")
    assert job.metadata is not None
    assert bytes(job.metadata).decode() == text


def test_metadata_stays_on_one_line() -> None:
    """A carriage return between tokens does not reach the results file."""
    job = parse(b'{"prompt": "hi", "metadata": [1,\r2]}')
    assert msgspec.json.encode(job.metadata) == b"[1, 2]"


def test_streaming_is_runners_own_matter() -> None:
    """What a job says of streaming is dropped; only who looks decides it."""
    params = {"stream": True, "stream_options": {"include_usage": True}, "seed": 1}
    job = parse({"prompt": "hi", "params": params})
    assert job.request.params == {"seed": 1}
    assert job.digest == parse({"prompt": "hi", "params": {"seed": 1}}).digest


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"promt": "hi"}, 'unknown key "promt". Did you mean "prompt"?'),
        ({"Prompt": "hi"}, 'Did you mean "prompt"?'),
        ({"mesages": []}, 'Did you mean "messages"?'),
        ({"custom_id": "a", "prompt": "hi"}, 'Did you mean "id"?'),
        (
            {"prompt": "hi", "temperature": 1},
            'Request parameters such as temperature go into "params"',
        ),
        (
            {"prompt": "hi", "base_url": "http://x"},
            "a job cannot set an address, a header or a key",
        ),
        (
            {"prompt": "hi", "api_key": "sk-secret"},
            "a job cannot set an address, a header or a key",
        ),
        ({"prompt": "hi", "\x1b[2J": 1}, r'unknown key "\x1b[2J"'),
        ({"prompt": "hi", "x" * 99: 1}, f'unknown key "{"x" * 57}..."'),
        ({"id": 1, "model": "m"}, 'has neither "prompt" nor "messages"'),
        ({}, 'has neither "prompt" nor "messages"'),
        ({"prompt": "hi", "messages": [USER]}, 'has both "prompt" and "messages"'),
        ({"prompt": None}, '"prompt" must be a string'),
        ({"messages": []}, "at least one message"),
        ({"messages": "hi"}, "at least one message"),
        ({"messages": [USER, "hi"]}, "message 2 must be an object"),
        ({"messages": [{"content": "hi"}]}, 'message 1 has no "role"'),
        ({"messages": [{"role": "user"}]}, 'message 1 has no "content"'),
        ({"prompt": "hi", "model": 5}, '"model" must be a string'),
        ({"prompt": "hi", "model": ""}, '"model" is empty'),
        ({"prompt": "hi", "model": "gpt-5"}, "which provider serves gpt-5?"),
        ({"prompt": "hi", "system": None}, '"system" must be a string'),
        ({"prompt": "hi", "max_tokens": 0}, '"max_tokens" must be a whole number'),
        ({"prompt": "hi", "max_tokens": True}, '"max_tokens" must be a whole number'),
        ({"prompt": "hi", "max_tokens": 5.0}, '"max_tokens" must be a whole number'),
        ({"prompt": "hi", "params": []}, '"params" must be an object'),
        ({"prompt": "hi", "params": {"model": "m"}}, '"params" holds "model"'),
        ({"prompt": "hi", "params": {"messages": []}}, '"params" holds "messages"'),
        (
            {"prompt": "hi", "max_tokens": 5, "params": {"max_completion_tokens": 5}},
            'the cap is set twice: "max_tokens" and "max_completion_tokens"',
        ),
        ({"prompt": "hi", "system": "x", "params": {"system": "y"}}, '"system" is set twice'),
    ],
)
def test_a_job_that_cannot_be_asked_is_explained(line: dict[str, Any], words: str) -> None:
    """Each mistake in a native job is told with its key, and mended where that can be guessed."""
    message = problem(line).message
    assert words in message
    assert "\n" not in message
    assert "secret" not in message


def test_a_problem_bears_the_lines_own_id() -> None:
    """An invalid line is known by its own id where that can be read."""
    assert problem({"id": 7, "promt": "hi"}).id == "7"
    assert problem({"custom_id": "a", "params": {}}).id == "a"
    assert problem({"promt": "hi"}).id is None
