"""Bytes that are no JSON object, told in words."""

import pytest

from runner.input.decode import MAX_DEPTH
from tests.input.helpers import parse, problem


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"prompt": "caf\xe9"}', "not UTF-8 at byte 16"),
        (b'{"prompt": "\xed\xa0\xbd"}', "not UTF-8 at byte 13: a lone surrogate"),
        (b'\xff\xfe{\x00"\x00', "UTF-16"),
        (b'{"prompt": "a\x00b"}', "a NUL character stands at column 14"),
        (b'{"prompt": "hi", "max_tokens": NaN}', "NaN is not a JSON number"),
        (b'{"prompt": "hi", "metadata": -Infinity}', "-Infinity is not a JSON number"),
        (b'{"prompt": "hi", "metadata": 1e999}', "a number is out of range"),
        (b'{"prompt": "hi", "metadata": ' + b"9" * 5000 + b"}", "a number is out of range"),
        (rb'{"prompt": "\ud83d"}', r"\ud83d at column 13 is a lone surrogate"),
        (rb'{"prompt": "\ude00 \ud83d\ude00"}', r"\ude00 at column 13 is a lone surrogate"),
        (rb'{"prompt": "\ud83d\ude00 \\ud83d \ud83d"}', r"\ud83d at column 34 is a lone"),
        (b'{"prompt": "why is the sky blue}', "a quote is missing at column 12"),
        (b'{"prompt": "say "hi""}', "a comma is missing, or a \\ before a quote, at column 18"),
        (b'{"prompt" "hi"}', "a colon is missing at column 11"),
        (b"{'prompt': 'hi'}", "a key in double quotes is missing at column 2"),
        (b'{"prompt": "hi",}', "a comma too many before column 17"),
        (b'{"prompt": "a\tb"}', "a control character must be escaped"),
        (rb'{"prompt": "\q"}', "a \\ that escapes nothing stands at column 13"),
        (rb'{"prompt": "\u12"}', "a \\u without four hex digits stands at column"),
        (b'{"prompt": hi}', "a value is missing at column 12"),
        (b'{"prompt": "hi"', "the line ends too early, at column 16"),
        (b'{"prompt": "hi"} {"prompt": "ho"}', "the line should have ended before column 18"),
        (b"[", "goes on over several lines"),
        (b"{", "goes on over several lines"),
        (b'["hi"]', "not a list"),
        (b'"hi"', "not a text"),
        (b"null", "not null"),
        (b"true", "not true or false"),
        (b"17", "not a number"),
        (b"Why is the sky blue?", "a value is missing at column 1"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"prompt": "hi", "metadata": ' + b"[" * 300 + b"]" * 300 + b"}", "nested too deep"),
    ],
)
def test_a_line_that_is_no_object_is_explained(raw: bytes, words: str) -> None:
    """Every kind of broken line is told apart, with the place where it breaks."""
    found = problem(raw)
    assert words in found.message
    assert (found.where, found.line, found.id) == ("jobs.jsonl:3", 3, None)


@pytest.mark.parametrize(
    "raw",
    [
        b'  {"prompt": "hi"}\r',
        '{"prompt": "\u2028 \u0085 \x7f \uffff"}'.encode(),
        rb'{"prompt": "\ud83d\ude00 \\ud83d \u0000"}',
        b'{"prompt": "hi", "metadata": ' + b"[" * 200 + b"]" * 200 + b"}",
        b'{"prompt": "' + b"[{" * MAX_DEPTH + b'"}',
        b'{"prompt": "' + b"x" * 500_000 + b'"}',
    ],
)
def test_odd_but_valid_lines_are_jobs(raw: bytes) -> None:
    """What JSON allows is taken, however odd it looks."""
    assert parse(raw).line == 3


def test_big_integers_stay_whole() -> None:
    """An integer beyond 64 bits reaches the request unchanged."""
    seed = 2**100 + 1
    assert parse(b'{"prompt": "hi", "params": {"seed": %d}}' % seed).request.params == {
        "seed": seed
    }


def test_the_bound_is_said() -> None:
    """A line of more bytes than the bound is refused with both figures."""
    raw = b'{"prompt": "' + b"x" * (1 << 20) + b'"}'
    assert problem(raw).message == "the line has 1,048,590 bytes; at most 1,048,576 are read"
