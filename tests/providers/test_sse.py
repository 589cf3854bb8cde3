"""The parser of server-sent events, fed in every way."""

import pytest

from runner.providers.sse import SseEvent, SseParser

CASES: list[tuple[bytes, list[tuple[str, str]]]] = [
    (b"data: a\n\n", [("", "a")]),
    (b"data:a\n\n", [("", "a")]),
    (b"data:  a\n\n", [("", " a")]),
    (b"event: e\ndata: a\n\ndata: b\n\n", [("e", "a"), ("", "b")]),
    (b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", [("", "a"), ("", "b"), ("", "c")]),
    (b"data: a\ndata: b\n\n", [("", "a\nb")]),
    (b": comment\n\n: another\ndata: a\n\n", [("", "a")]),
    (b"data:\n\ndata\n\nevent: e\n\nretry: 3\nid: 1\n\n", []),
    (b"\xef\xbb\xbfdata: a\n\n", [("", "a")]),
    ("data: é😀\u2028x\n\n".encode(), [("", "é😀\u2028x")]),
    (b"data: \xff\n\n", [("", "\ufffd")]),
    (b"error: {}\n\n", [("error", "{}")]),
    (b"nonsense\ndata: a\n\n", [("", "a")]),
]


@pytest.mark.parametrize(("text", "events"), CASES)
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_events(text: bytes, events: list[tuple[str, str]], size: int) -> None:
    """The same events come out wherever the bytes are cut."""
    parser = SseParser()
    found = [event for n in range(0, len(text), size) for event in parser.feed(text[n : n + size])]
    assert found == [SseEvent(*event) for event in events]
    assert parser.close() is None


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        (b"data: a", "a"),
        (b"data: a\n", "a"),
        (b"data: a\n\ndata: b", "b"),
        (b"data: a\n\n", None),
        (b"data: a\n\nevent: e\n", None),
        (b"", None),
    ],
)
def test_end_without_a_blank_line(text: bytes, cut: str | None) -> None:
    """An event that the end cut short is told apart from the whole ones."""
    parser = SseParser()
    parser.feed(text)
    parser.feed(b"")
    event = parser.close()
    assert (event.data if event else None) == cut
