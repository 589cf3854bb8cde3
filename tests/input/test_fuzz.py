"""Any bytes at all."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import InvalidLineError
from runner.input.draft import CAPS
from runner.input.native import KEYS
from runner.models import Job
from runner.words import printable
from tests.input.helpers import make_parser

PARSERS = {
    "jobs": make_parser(system="s", max_tokens=5, defaults={"top_p": 1}, overrides={"seed": 1}),
    "rows": make_parser(template="{{ text[0] }}{% for m in messages %}{{ m.role }}{% endfor %}"),
}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
words = st.sampled_from([*KEYS, *CAPS, "custom_id", "body", "url", "method", "text", "role"])
objects = st.dictionaries(
    words | st.text(max_size=9),
    values
    | st.sampled_from(["POST", "/v1/responses", "/v1/chat/completions", "sim/steady"])
    | st.dictionaries(words, values, max_size=3)
    | st.just([{"role": "user", "content": "hi"}]),
    max_size=5,
)
broken = st.tuples(objects, st.binary(max_size=3), st.integers(0, 200)).map(
    lambda parts: json.dumps(parts[0]).encode()[: parts[2]] + parts[1]
)


def outcome(name: str, raw: bytes) -> Any:
    """What a line comes to; anything but a job or a problem is raised."""
    try:
        return PARSERS[name].parse(raw, 1)
    except InvalidLineError as error:
        return str(error)


@pytest.mark.parametrize("name", PARSERS)
@given(raw=st.binary() | broken | objects.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_any_bytes_are_a_job_or_a_problem(name: str, raw: bytes) -> None:
    """No line whatever raises anything but its own problem, told on one printable line."""
    found = outcome(name, raw)
    if isinstance(found, Job):
        assert outcome(name, raw) == found
    else:
        assert printable(found) == found
