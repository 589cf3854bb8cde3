"""Bodies kept as the same JSON on one line, and the characters that come in halves."""

import json

import pytest

from runner.providers.raw_body import read_json, write_json
from runner.providers.surrogates import Pieces, whole_text


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b'{"a":1}', b'{"a":1}'),
        (b' {"a" :\r\n 1.50}\n', b'{"a" : 1.50}'),
        (b'{"big":123456789012345678901234567890}', b'{"big":123456789012345678901234567890}'),
        (b'{"far":1e400}', b'{"far":1e400}'),
        (b'{"fine":0.10000000000000000000001}', b'{"fine":0.10000000000000000000001}'),
        ('{"a":"\u2028é😀"}'.encode(), '{"a":"\u2028é😀"}'.encode()),
        (b'{"a":"\\u0000\\n"}', b'{"a":"\\u0000\\n"}'),
        (b'{"a":1,"a":2}', b'{"a":1,"a":2}'),
        (b'\xef\xbb\xbf{"a":1}', b'{"a":1}'),
        (b'{"a":"\xff"}', '{"a":"\ufffd"}'.encode()),
        (b'{"a":"\\ud83d"}', b'{"a":"\\ufffd"}'),
        (b'{"a":"\\ude00\\uD83D"}', b'{"a":"\\ufffd\\ufffd"}'),
        (b'{"a":"\\ud83d\\ud83d\\ude00"}', b'{"a":"\\ufffd\\ud83d\\ude00"}'),
        (b'{"a":"\\\\ud83d","b":"\\udead"}', b'{"a":"\\\\ud83d","b":"\\ufffd"}'),
        (
            b'{"a":NaN,"b":[-Infinity,Infinity],\n"c":"NaN \\" NaN"}',
            b'{"a":null,"b":[null,null],"c":"NaN \\" NaN"}',
        ),
        (b'{"a":"x\ny\tz",\n"b":NaN}', b'{"a":"x\\u000ay\\u0009z","b":null}'),
        (b"1" + b"0" * 5000, b"1" + b"0" * 5000),
    ],
)
def test_body_on_one_line(body: bytes, line: bytes) -> None:
    """Every body becomes one line of JSON with the same value; what is broken is mended."""
    _, raw = read_json(body)
    assert bytes(raw) == line


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a":}', b"<html>", b"{} {}", b"[" * 200_000, b"\x00"]
)
def test_what_is_not_json(body: bytes) -> None:
    """What no reader would take for JSON is refused."""
    with pytest.raises(ValueError, match=r".+"):
        read_json(body)


@pytest.mark.parametrize("value", [{"a": "é", "b": 1.5}, {"a": None}])
def test_writing(value: dict[str, object]) -> None:
    """What was put together here is written as one line that reads back as the same value."""
    raw = bytes(write_json(value))
    assert b"\n" not in raw
    assert json.loads(raw) == value


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (["a", "b"], ["a", "b"]),
        (["a\ud83d", "\ude00b"], ["a", "😀b"]),
        (["\ud83d", "\ud83d\ude00"], ["", "\ufffd😀"]),
        (["\ude00"], ["\ufffd"]),
        (["a\ud83d"], ["a"]),
        (["", ""], ["", ""]),
    ],
)
def test_pieces(pieces: list[str], shown: list[str]) -> None:
    """Halves of a character meet again, and what is shown is what is kept."""
    taken = Pieces()
    assert [taken.add(piece) for piece in pieces] == shown
    assert taken.text == "".join(shown)


def test_whole_text() -> None:
    """A lone half becomes the sign for an unknown character."""
    assert whole_text("a\ud83d b\ud83d\ude00") == "a\ufffd b😀"
