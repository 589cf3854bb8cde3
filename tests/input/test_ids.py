"""Ids: given, by content, numbered for repeats."""

from typing import Any

import pytest

from runner.input.ids import LONGEST_ID, IdBook, KnownIds
from runner.input.problems import BadLineError
from tests.input.helpers import parse, problem


def test_the_default_id_is_the_content_whatever_its_spelling() -> None:
    """Order of keys, spacing and escapes do not change the id; model and options neither."""
    one = parse(b'{"prompt": "caf\\u00e9", "max_tokens": 5}')
    other = parse('{ "max_tokens":5,"prompt":"caf\u00e9" }\r'.encode(), model="sim/slow")
    assert one.id == other.id == "3cb21dbaafeca92e"
    assert one.digest != other.digest


@pytest.mark.parametrize(
    ("given", "text"),
    [("a7", "a7"), (7, "7"), (1.5, "1.5"), (-3, "-3"), ("\u00e9 \u2028", "\u00e9 \u2028")],
)
def test_a_given_id_is_text(given: Any, text: str) -> None:
    """A string or a number is the id, as text."""
    assert parse({"id": given, "prompt": "hi"}).id == text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "is empty"),
        (None, "must be a string or a number"),
        (True, "must be a string or a number"),
        (["a"], "must be a string or a number"),
        ("a\nb", "control character"),
        ("\x9b31m", "control character"),
        ("x" * (LONGEST_ID + 1), "513 characters"),
    ],
)
def test_an_id_that_cannot_be_is_refused(given: Any, words: str) -> None:
    """An id must be short printable text; a line with another one goes by no id of its own."""
    found = problem({"id": given, "prompt": "hi"})
    assert words in found.message
    assert found.id is None


def test_repeats_are_numbered() -> None:
    """Repeats of a line without id get -2, -3, past ids that are taken; the numbers are kept."""
    book = IdBook()
    assert book.claim("ab-2", 1, True) == "ab-2"
    names = [book.claim("ab", line, False) for line in (2, 3, 4)]
    assert names == ["ab", "ab-3", "ab-4"]
    assert book.suffixes == {3: 3, 4: 4}
    again = KnownIds(book.suffixes)
    assert [again.claim("ab", line, False) for line in (4, 2, 3)] == ["ab-4", "ab", "ab-3"]


def test_a_given_id_is_used_once() -> None:
    """The second use of a given id is refused, also of one that was numbered."""
    book = IdBook()
    for line in (1, 2):
        book.claim("ab", line, False)
    for taken in ("ab", "ab-2"):
        with pytest.raises(BadLineError, match="was used before"):
            book.claim(taken, 3, True)


def test_invalid_lines_have_unique_names() -> None:
    """An invalid line goes by its own id if free, else by its bytes, numbered for repeats."""
    book = IdBook()
    book.claim("a7", 1, True)
    assert book.name_invalid("a8", "f0") == "a8"
    assert [book.name_invalid("a7", "f0") for _ in range(3)] == ["f0", "f0-2", "f0-3"]
    assert book.name_invalid(None, "f1") == "f1"
    assert book.suffixes == {}
    with pytest.raises(BadLineError):
        book.claim("a8", 9, True)
    assert KnownIds().name_invalid(None, "f0") == "f0"
    assert KnownIds().name_invalid("a8", "f0") == "a8"
