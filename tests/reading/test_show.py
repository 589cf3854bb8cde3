"""Records chosen and put into words."""

import json
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.models import ErrorRecord, Result, Usage
from runner.reading.question import question
from runner.reading.show import chosen, decode, details, heading, trouble
from tests.reading.support import AT, answer, attempt, broken, failure, raw, results_file


def names(lines: object) -> list[str]:
    """The ids of record lines."""
    assert hasattr(lines, "__iter__")
    return [json.loads(line)["id"] for line in lines]


def test_records_are_chosen_by_id_and_status(tmp_path: Path) -> None:
    """All in input order, those with a status, or those with the ids in the order asked for."""
    path = results_file(tmp_path, [failure("c", 3), answer("b", 2), answer("a", 1)])
    assert names(chosen(path, [], None)) == ["a", "b", "c"]
    assert names(chosen(path, [], "failed")) == ["c"]
    assert names(chosen(path, ["c", "a"], None)) == ["c", "a"]
    assert names(chosen(path, ["c", "a"], "succeeded")) == ["a"]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (["row-12x"], "with the id row-12x. Did you mean row-12 or row-1?"),
        (["zzzz"], "with the id zzzz. Its ids look like row-1, row-12."),
        (["zzzz", "yyyy"], "with the id zzzz (and 1 more). Its ids"),
    ],
)
def test_an_unknown_id_leads_to_near_ones(wanted: list[str], told: str, tmp_path: Path) -> None:
    """The message names ids that look alike, or what the ids look like at all."""
    path = results_file(tmp_path, [answer("row-1", 1), answer("row-12", 2)])
    with pytest.raises(UsageError) as raised:
        chosen(path, wanted, None)
    assert told in str(raised.value)


def test_an_id_in_an_empty_file_has_no_near_ones(tmp_path: Path) -> None:
    """Where there are no ids none is proposed."""
    with pytest.raises(UsageError, match=r"holds no record with the id a\.$"):
        chosen(results_file(tmp_path, []), ["a"], None)


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (answer("a", 3), "-- a (line 3): succeeded, 2 tokens, sim/steady"),
        (
            answer("a\x1b", None, finish_reason="length", usage=None),
            "-- a\\x1b: succeeded, length, sim/steady",
        ),
        (
            Result(id="a", digest=None, line=1, status="failed"),
            "-- a (line 1): failed",
        ),
    ],
)
def test_a_heading_is_one_line(result: Result, line: str) -> None:
    """Id, line, status, how it ended, tokens and model, so far as they are known."""
    assert heading(result) == line


def test_trouble_is_told_once() -> None:
    """An error that is the interruption itself is not repeated."""
    assert trouble(answer("a")) == []
    assert trouble(failure("a")) == ["   error (invalid_request, HTTP 400): prompt is too long"]
    same = ErrorRecord(kind="timeout", message="because of idle")
    assert trouble(broken("a", 1, "idle", error=same)) == ["   interrupted (idle): because of idle"]
    other = ErrorRecord(kind="connection", message="reset")
    assert len(trouble(broken("a", 1, "connection", error=other))) == 2


def test_details_say_what_is_known() -> None:
    """Usage, times, answering model, attempts and metadata, each on its line."""
    usage = Usage(
        input_tokens=1200,
        output_tokens=None,
        cached_input_tokens=12,
        reasoning_tokens=5,
        complete=False,
    )
    result = answer(
        "a",
        usage=usage,
        started_at=AT,
        duration_s=2.1,
        time_to_first_token_s=0.4,
        response_model="steady-1",
        attempts=[attempt("overloaded"), attempt()],
        metadata=raw({"lang": "de"}),
    )
    assert details(result) == [
        "   tokens    1,200 in (12 cached), unknown out (5 reasoning), cut before the final count",
        f"   time      2.1s, first token after 0.4s, {AT}",
        "   answered  by steady-1",
        "   attempts  2: overloaded, ok",
        '   metadata  {"lang": "de"}',
    ]
    assert details(failure("a")) == []


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """The chosen line decodes into the record."""
    path = results_file(tmp_path, [answer("a")])
    assert decode(next(chosen(path, [], None))) == answer("a")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"messages": [{"role": "user", "content": "Why?"}]}, "user: Why?"),
        (
            {
                "system": [{"type": "text", "text": "Be brief."}],
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "text", "text": "Look"}, {"type": "image_url"}, "x"],
                    },
                    {"role": "assistant", "content": None},
                    "odd",
                ],
            },
            "system: Be brief.\nuser: Look [image_url] x\nassistant: \nodd",
        ),
        ({"instructions": "Short.", "input": "Why?"}, "system: Short.\nuser: Why?"),
        (
            {"input": [{"type": "function_call", "content": {"a": 1}}, {}]},
            "function_call: [...]\nitem: ",
        ),
        ({"model": "m"}, ""),
        ([1], ""),
    ],
)
def test_the_question_is_read_from_any_body(body: object, text: str) -> None:
    """Texts of the three APIs' requests are found; what is no text is named in brackets."""
    assert question(raw(body)) == text
