"""Cutting blocks into lines."""

import hashlib

import pytest

from runner.input.lines import Line, LineSplitter, Unread


def split(blocks: list[bytes], bound: int = 100) -> list[tuple[int, Line]]:
    splitter = LineSplitter(bound)
    lines = [line for block in blocks for line in splitter.feed(block)]
    return lines + list(splitter.finish())


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"a\nb\n", [(1, b"a"), (2, b"b")]),
        (b"a\nb", [(1, b"a"), (2, b"b")]),  # the last line needs no end
        (b"\n\na", [(1, b""), (2, b""), (3, b"a")]),  # blank lines count
        (b"a\r\nb\r", [(1, b"a\r"), (2, b"b\r")]),  # CR is JSON's white space, not an end
        ("a\u2028b\u0085c\x0bd\n".encode(), [(1, "a\u2028b\u0085c\x0bd".encode())]),
        (b"\xef\xbb\xbfa\nb", [(1, b"a"), (2, b"b")]),  # BOM
        (b"\xef\xbb\xbf\n\xef\xbb\xbfb", [(1, b""), (2, b"\xef\xbb\xbfb")]),  # only the first
        (b"\xef\xbb\xbf", [(1, b"")]),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_do_not_depend_on_blocks(
    content: bytes, lines: list[tuple[int, Line]], size: int
) -> None:
    """However the bytes are cut into blocks, the lines and their numbers are the same."""
    blocks = [content[at : at + size] for at in range(0, len(content), size)]
    assert split(blocks) == lines


@pytest.mark.parametrize("size", [1, 3, 10, 11, 12, 1000])
@pytest.mark.parametrize("end", [b"", b"\n", b"\nnext"])
def test_a_line_beyond_the_bound_leaves_its_size_and_hash(size: int, end: bytes) -> None:
    """A line beyond the bound is skipped up to its end, and the next line is whole."""
    long = b"0123456789x"
    content = b"0123456789\n" + long + end
    blocks = [content[at : at + size] for at in range(0, len(content), size)]
    kept = Unread(11, hashlib.sha256(long).hexdigest())
    after = [(3, b"next")] if end == b"\nnext" else []
    assert split(blocks, bound=10) == [(1, b"0123456789"), (2, kept), *after]


def test_a_huge_line_is_not_held() -> None:
    """Of a line far beyond the bound no more than the bound is ever held."""
    splitter = LineSplitter(1000)
    for _ in range(500):
        assert list(splitter.feed(b"x" * 300)) == []
        assert sum(map(len, splitter._parts)) <= 1000
    ((number, line),) = splitter.feed(b"\n")
    assert number == 1
    assert isinstance(line, Unread)
    assert line.size == 150_000
