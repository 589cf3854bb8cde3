"""The providers' own batch lines."""

from typing import Any

import pytest

from runner.errors import UsageError
from runner.models import Request
from tests.input.helpers import parse, problem

USER = {"role": "user", "content": "hi"}
CHAT = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions"}
RESPONSES = {"custom_id": "a", "method": "POST", "url": "/v1/responses"}


def test_a_chat_line_is_taken_apart() -> None:
    """A Chat Completions body keeps its own model and parameters, the cap by its own name."""
    body = {"model": "gpt-5", "messages": [USER], "max_tokens": 5, "stream": True, "seed": 1}
    job = parse({**CHAT, "body": body}, model=None)
    assert (job.id, job.provider, job.model) == ("a", "openai", "gpt-5")
    assert job.request == Request(
        messages=[USER], params={"max_tokens": 5, "seed": 1}, api="openai"
    )


def test_a_responses_line_is_taken_apart() -> None:
    """A Responses body keeps its input and instructions among the parameters."""
    body = {"model": "gpt-5", "input": "hi", "instructions": "Be brief."}
    job = parse({**RESPONSES, "body": body}, model=None, system="Other.")
    assert (job.provider, job.model) == ("openai-responses", "gpt-5")
    assert job.request == Request(
        params={"input": "hi", "instructions": "Be brief."}, api="openai-responses"
    )


def test_an_anthropic_line_is_taken_apart() -> None:
    """A Messages body gives its system blocks; its model may hold a slash."""
    blocks = [{"type": "text", "text": "Be brief."}]
    params = {"model": "x/claude", "max_tokens": 5, "messages": [USER], "system": blocks}
    job = parse({"custom_id": 9, "params": params}, model=None)
    assert (job.id, job.provider, job.model) == ("9", "anthropic", "x/claude")
    assert job.request == Request(
        messages=[USER], system=blocks, params={"max_tokens": 5}, api="anthropic"
    )


def test_a_body_without_model_uses_the_option() -> None:
    """Where the body names no model, -m does, at a provider that speaks the same API."""
    job = parse({**CHAT, "body": {"messages": [USER]}}, model="sim/steady")
    assert (job.provider, job.model) == ("sim", "steady")
    with pytest.raises(UsageError, match="speaks anthropic"):
        parse({**CHAT, "body": {"messages": [USER]}}, model="sim-anthropic/steady")


def test_an_override_sends_the_file_elsewhere() -> None:
    """The model of --override wins over the body's if the API fits, else nothing is sent."""
    line = {**RESPONSES, "body": {"model": "gpt-5", "input": "hi"}}
    job = parse(line, overrides={"model": "sim-responses/slow"})
    assert (job.provider, job.model) == ("sim-responses", "slow")
    with pytest.raises(UsageError, match="batch shape of the API openai-responses"):
        parse(line, overrides={"model": "openai/gpt-5"})


@pytest.mark.parametrize(
    ("line", "brings"),
    [
        ({**CHAT, "body": {"messages": [USER]}}, False),
        ({**CHAT, "body": {"messages": [{"role": "developer", "content": "x"}, USER]}}, True),
        ({**RESPONSES, "body": {"input": [USER]}}, False),
        ({**RESPONSES, "body": {"input": [{"role": "system", "content": "x"}]}}, True),
        ({"custom_id": "a", "params": {"messages": [USER]}}, False),
        ({"custom_id": "a", "params": {"messages": [USER], "system": "x"}}, True),
    ],
)
def test_the_system_option_is_for_jobs_that_bring_none(line: dict[str, Any], brings: bool) -> None:
    """-s is laid over a batch line only if its body has no instructions by any name."""
    body = line.get("body") or line["params"]
    body["model"] = "some-model"
    assert (parse(line, system="From -s.").request.system == "From -s.") is not brings


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({**CHAT, "url": "/v1/embeddings", "body": {}}, '"url" must be one of'),
        ({**CHAT, "url": ["x"], "body": {}}, '"url" must be one of'),
        ({**CHAT, "method": "GET", "body": {}}, '"method" must be "POST"'),
        (CHAT, '"body" must be an object'),
        ({**CHAT, "body": {}}, '"messages" must be a list'),
        ({**CHAT, "body": {"messages": [USER], "model": 5}}, '"model" must be a string'),
        (
            {**CHAT, "bdy": {}},
            'unknown key "bdy" in a line of a provider\'s batch. Did you mean "body"?',
        ),
        ({**CHAT, "body": {}, "headers": {}}, 'unknown key "headers"'),
        ({**CHAT, "custom_id": "", "body": {}}, '"custom_id" is empty'),
        ({"custom_id": "a", "params": []}, '"params" must be an object'),
        ({"custom_id": "a", "params": {"model": "m"}}, '"messages" must be a list'),
        ({"custom_id": "a", "params": {"messages": [USER], "system": 5}}, '"system" must be'),
    ],
)
def test_a_batch_line_that_cannot_be_asked_is_explained(line: dict[str, Any], words: str) -> None:
    """Each mistake in a provider's batch line is told with its key."""
    assert words in problem(line).message
