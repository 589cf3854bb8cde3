"""Promises about which prompts are seen to begin alike."""

from typing import Any

import pytest

from runner.engine.beginnings import LEAST_BYTES, Key, beginnings
from runner.engine.need import spoken_of
from runner.models import Api, Job, Request

RULES = "Answer as the rules of the house say. " * 140
PAPER = "A long paper about rivers and bridges. " * 400
MARK = {"cache_control": {"type": "ephemeral"}}


def asking(model: str = "m", **request: Any) -> Job:
    """A job with this request."""
    return Job(id="j", digest="d", line=1, provider="p", model=model, request=Request(**request))


def user(content: Any) -> list[dict[str, Any]]:
    """One message."""
    return [{"role": "user", "content": content}]


def keys(job: Job, api: Api = "openai") -> tuple[Key, ...]:
    """What a job begins with."""
    return beginnings(job, api, spoken_of(job))


def common(one: Job, other: Job, api: Api = "openai") -> int:
    """How many beginnings two jobs share; these are the shortest ones."""
    first, second = keys(one, api), keys(other, api)
    shared = set(first) & set(second)
    assert set(first[: len(shared)]) == shared
    return len(shared)


def test_short_prompts_have_none() -> None:
    """What no provider would keep is not looked at."""
    assert keys(asking(system="x" * (LEAST_BYTES - 100), messages=user("hi"))) == ()
    assert len(keys(asking(system="x" * LEAST_BYTES, messages=user("hi")))) == 1


@pytest.mark.parametrize(
    "ask",
    [
        lambda question: {"system": RULES, "messages": user(question)},
        lambda question: {"messages": [*user(RULES), *user(question)]},
        lambda question: {"messages": user(RULES + question)},
        lambda question: {"params": {"instructions": RULES, "input": question}},
        lambda question: {"params": {"input": RULES + question}},
        lambda question: {"params": {"tools": [{"name": RULES}]}, "messages": user(question)},
    ],
)
def test_wherever_the_common_part_stands(ask: Any) -> None:
    """Rules in the system prompt, in messages, in front of the question or in tools are shared."""
    assert common(asking(**ask("Why?")), asking(**ask("How?"))) == 1


def test_a_document_behind_common_rules() -> None:
    """Two questions on one paper share more than two on different papers do."""
    one, same, other = (
        asking(system=RULES, messages=user(text))
        for text in (PAPER + "Why?", PAPER + "How?", PAPER[::-1] + "Why?")
    )
    assert common(one, same) > common(one, other) == 1


@pytest.mark.parametrize(
    "other",
    [
        asking("n", system=RULES, messages=user("hi")),
        asking(system="!" + RULES, messages=user("hi")),
        asking(system=RULES, messages=user("hi"), params={"prompt_cache_key": "k"}),
        asking(system=RULES, messages=user("hi"), params={"tools": [{"name": "t"}]}),
    ],
)
def test_what_no_cache_would_share(other: Job) -> None:
    """Another model, another first word, another cache key or other tools share nothing."""
    assert common(asking(system=RULES, messages=user("hi")), other) == 0


def test_anthropic_shares_only_what_is_marked() -> None:
    """There a long prompt alone shares nothing; up to each mark of the job's own it does."""
    marked = [{"type": "text", "text": RULES, **MARK}]
    plain = [{"type": "text", "text": RULES}]
    assert keys(asking(system=plain, messages=user('a "cache_control"')), "anthropic") == ()
    one, other = (asking(system=marked, messages=user(text)) for text in ("Why?", "How?"))
    assert common(one, other, "anthropic") == len(keys(one, "anthropic")) == 1
    tail = [{"type": "text", "text": "more", **MARK}]
    assert common(one, asking(system=marked, messages=user(tail)), "anthropic") == 1
    assert len(keys(asking(system=marked, messages=user(tail)), "anthropic")) == 2


def test_a_short_marked_part_is_not_waited_for() -> None:
    """A mark before which there is too little to be kept counts for nothing."""
    marked = [{"type": "text", "text": "short", **MARK}]
    assert keys(asking(system=marked, messages=user(RULES)), "anthropic") == ()
