r"""Files as lines that end at `\n` and nowhere else; U+2028 in a string ends nothing."""

import os
from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

BLOCK_BYTES = 512 * 1024
LONGEST_RECORD = 256 * 1024 * 1024
"""Bytes; four times the longest job line. A longer line is no record of ours, and not held."""


class Block(NamedTuple):
    """Some whole lines of a file that follow each other."""

    offset: int
    size: int
    """Bytes of all of them."""
    lines: list[bytes]
    """Each with its newline; none of them where it is one that is too long to be a record."""
    data: bytes
    """All of them, and perhaps the beginning of the next."""


class Lines:
    """The whole lines of an open file, in bounded memory.

    Iterating gives them in order, block by block. Afterwards `tail` is what follows the last
    newline, `torn` its bytes, and `end` the offset at which it starts.
    """

    def __init__(self, fd: int, start: int = 0) -> None:
        """Begin at an offset where a line begins."""
        self._fd = fd
        self.end = start
        self.tail = b""
        """Empty also where it is too long to be a record."""
        self.torn = 0

    def __iter__(self) -> Iterator[Block]:
        while data := os.pread(self._fd, BLOCK_BYTES, self.end):
            lines = BytesIO(data).readlines()
            # What is not whole is read again with the next block, so that nothing is joined.
            rest = b"" if lines[-1].endswith(b"\n") else lines.pop()
            size = len(data) - len(rest)
            block = Block(self.end, size, lines, data) if lines else self._long()
            if block is None:
                return
            self.end += block.size
            yield block

    def _long(self) -> Block | None:
        """Read a line that is longer than a block; None where it does not end."""
        pieces: list[bytes] = []
        length = 0
        while piece := os.pread(self._fd, BLOCK_BYTES, self.end + length):
            piece = piece[: piece.find(b"\n") + 1] or piece
            length += len(piece)
            ended = piece.endswith(b"\n")
            # Joined once, not once a block.
            if length - ended <= LONGEST_RECORD:
                pieces.append(piece)
            else:
                pieces.clear()
            if ended:
                line = b"".join(pieces)
                return Block(self.end, length, [line] if line else [], line)
        self.tail, self.torn = b"".join(pieces), length
        return None


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
