"""Records as lines, and back."""

import json
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from runner.models import AttemptRecord, ErrorRecord, Interruption, Result, Usage
from runner.results.encode import decode, encode
from tests.results.build import AT, attempt, record

FULL = record(
    "a",
    line=7,
    provider="sim",
    model="steady",
    text="h\u2028i",
    finish_reason="stop",
    usage=Usage(input_tokens=3),
    error=ErrorRecord(kind="schema", message="no"),
    interruption=Interruption(reason="sigint", message="stopped", at=AT),
    attempts=[attempt("r1"), attempt("r2")],
    duration_s=0.25,
    response=Raw(b'{"a":[1,2.50]}'),
    request=Raw(b'{"b":1}'),
    metadata=Raw(b'{"c":null}'),
)


def test_first_five_fields() -> None:
    """The first five fields stand in the promised order on one line."""
    line = encode(FULL)
    assert list(json.loads(line))[:5] == ["v", "id", "digest", "line", "status"]
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1


@pytest.mark.parametrize(
    "result",
    [
        FULL,
        record("b"),
        record("c", response=None),
        record("d", response=UNSET, metadata=Raw(b'"text"')),
    ],
)
def test_back_again(result: Result) -> None:
    """A record read back is the record that was written, bodies untouched."""
    assert decode(encode(result)) == result


def test_left_out_is_not_null() -> None:
    """`--no-response` leaves the field out; no answer is null."""
    assert "response" not in json.loads(encode(record("a")))
    assert json.loads(encode(record("a", response=None)))["response"] is None
    assert "request" not in json.loads(encode(record("a")))


def test_durations_are_rounded() -> None:
    """Durations are kept to the microsecond, not to the last bit."""
    tried = AttemptRecord(run="r", started_at=AT, duration_s=1 / 3, outcome="ok")
    read = json.loads(
        encode(record("a", duration_s=2 / 3, time_to_first_token_s=1 / 7, attempts=[tried]))
    )
    assert read["duration_s"] == 0.666667
    assert read["time_to_first_token_s"] == 0.142857
    assert read["attempts"][0]["duration_s"] == 0.333333


def test_no_number_is_null() -> None:
    """What is no number never makes a line invalid."""
    assert json.loads(encode(record("a", cost_usd=math.nan)))["cost_usd"] is None


def test_line_breaks_in_a_body_are_taken_out() -> None:
    """A body that still has line breaks cannot break the log."""
    line = encode(record("a", response=Raw(b'{\n "a":\r\n1}')))
    assert line.count(b"\n") == 1
    assert json.loads(line)["response"] == {"a": 1}


def test_lone_surrogates_are_replaced() -> None:
    """Text that no UTF-8 can hold costs a character, not the answer."""
    result = record("a", text="x\ud800y\ud83d\ude00", attempts=[attempt("\udc00")])
    read = json.loads(encode(result))
    assert read["text"] == "x\ufffdy\U0001f600"
    assert read["attempts"][0]["run"] == "\ufffd"


def test_garbage_is_an_error() -> None:
    """A line that is no record is not read as one."""
    with pytest.raises(msgspec.DecodeError):
        decode(b'{"v":1}')


@given(st.text(st.characters(exclude_categories=[])), st.text())
def test_any_text(text: str, job_id: str) -> None:
    """Any text of a model and any id give one line of valid JSON."""
    line = encode(record(job_id, text=text))
    assert line.count(b"\n") == 1
    assert json.loads(line)["id"] == job_id
