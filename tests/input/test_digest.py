"""What is asked, as a hash."""

from typing import Any

import pytest

from runner.schemas.reading import schema_of
from tests.input.helpers import parse

SCHEMA = schema_of({"type": "object"})
LINE: dict[str, Any] = {"prompt": "hi", "params": {"seed": 1}}


@pytest.mark.parametrize(
    ("line", "ask"),
    [
        ({"messages": [{"content": "hi", "role": "user"}], "params": {"seed": 1}}, {}),
        ({**LINE, "id": "a7"}, {}),
        ({**LINE, "metadata": {"x": 1}}, {}),
        ({**LINE, "model": "sim/steady"}, {"model": "openai/other"}),
        ({"prompt": "hi"}, {"defaults": {"seed": 1}}),
        ({**LINE, "params": {"seed": 2}}, {"overrides": {"seed": 1}}),
        ({"x": "hi"}, {"template": "{{ x }}", "defaults": {"seed": 1}}),
        ({**LINE, "params": {"stream": True, "seed": 1}}, {}),
    ],
)
def test_the_same_question_has_the_same_digest(line: dict[str, Any], ask: dict[str, Any]) -> None:
    """By whatever way the same question comes, it is known again."""
    assert parse(line, **ask).digest == parse(LINE).digest


@pytest.mark.parametrize(
    ("line", "ask"),
    [
        ({**LINE, "prompt": "ho"}, {}),
        (LINE, {"model": "sim/slow"}),
        (LINE, {"model": "sim-responses/steady"}),
        (LINE, {"system": ""}),
        (LINE, {"max_tokens": 5}),
        ({**LINE, "params": {"seed": 2}}, {}),
        ({**LINE, "params": {"seed": 1.0}}, {}),  # 1 and 1.0 are different parameters
        ({**LINE, "params": {"seed": 1, "service_tier": "flex"}}, {}),
        (LINE, {"schema": SCHEMA}),
    ],
)
def test_another_question_has_another_digest(line: dict[str, Any], ask: dict[str, Any]) -> None:
    """Whatever the provider would see differently is another question."""
    assert parse(line, **ask).digest != parse(LINE).digest


def test_the_digest_with_a_schema_is_fixed() -> None:
    """No release may change it; a job's own form of answer leaves the schema out."""
    asked = parse(LINE, schema=SCHEMA).digest
    assert asked == "97985fda5d8a90c3b4342d0e0cc3af55c6c7200fab2383de729f80f108c9ac7d"
    own: dict[str, Any] = {**LINE, "params": {"text": {"format": {"type": "json_object"}}}}
    assert parse(own, schema=SCHEMA).digest == parse(own).digest
    beside: dict[str, Any] = {**LINE, "params": {"text": {"verbosity": "low"}}}
    assert parse(beside, schema=SCHEMA).digest != parse(beside).digest
