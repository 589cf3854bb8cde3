r"""Files as lines that end at `\n` and nowhere else; U+2028 in a string ends nothing."""

import os
from collections.abc import Iterator
from typing import NamedTuple

BLOCK_BYTES = 256 * 1024
LONGEST_RECORD = 256 * 1024 * 1024
"""Bytes; four times the longest job line. A longer line is no record of ours, and not held."""


class Line(NamedTuple):
    """One line of a file."""

    offset: int
    length: int
    """Bytes without the newline."""
    data: bytes | None
    """None where it is too long to be a record."""


class Lines:
    """The whole lines of an open file, in bounded memory.

    Iterating gives them in order. Afterwards `tail` is what follows the last newline, and `end`
    the offset at which it starts.
    """

    def __init__(self, fd: int, start: int = 0) -> None:
        """Begin at an offset where a line begins."""
        self._fd = fd
        self.end = start
        self.tail = Line(start, 0, b"")
        # Pieces of a line longer than a block are joined once, not once a block.
        self._pieces: list[bytes] = []
        self._length = 0

    def __iter__(self) -> Iterator[Line]:
        position = self.end
        while block := os.pread(self._fd, BLOCK_BYTES, position):
            position += len(block)
            first, *rest = block.split(b"\n")
            self._take(first)
            for piece in rest:
                line = self._line()
                self.end += line.length + 1
                yield line
                self._pieces, self._length = [piece], len(piece)
        self.tail = self._line()

    def _take(self, piece: bytes) -> None:
        self._length += len(piece)
        if self._length <= LONGEST_RECORD:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def _line(self) -> Line:
        held = self._length <= LONGEST_RECORD
        return Line(self.end, self._length, b"".join(self._pieces) if held else None)


def read_at(fd: int, offset: int, length: int) -> bytes:
    """Read `length` bytes from `offset`, fewer only where the file ends."""
    data = os.pread(fd, length, offset)
    while len(data) < length:
        more = os.pread(fd, length - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data


def pieces_at(fd: int, offset: int, length: int) -> Iterator[bytes]:
    """Read `length` bytes from `offset` block by block."""
    for start in range(0, length, BLOCK_BYTES):
        yield read_at(fd, offset + start, min(BLOCK_BYTES, length - start))
