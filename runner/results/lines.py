r"""Files as lines that end at `\n` and nowhere else; U+2028 in a string ends nothing."""

import os
from collections.abc import Iterator

BLOCK_BYTES = 256 * 1024


class Lines:
    """The whole lines of an open file, in flat memory.

    Iterating gives `(offset, line without its newline)`. Afterwards `tail` holds what follows the
    last newline and `end` the offset at which it starts.
    """

    def __init__(self, fd: int, start: int = 0) -> None:
        """Begin at an offset where a line begins."""
        self._fd = fd
        self.end = start
        self.tail = b""

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        # Pieces of a line longer than a block are joined once, not once a block.
        pieces: list[bytes] = []
        position = self.end
        while block := os.pread(self._fd, BLOCK_BYTES, position):
            position += len(block)
            first, *rest = block.split(b"\n")
            pieces.append(first)
            if rest:
                yield from self._finished(pieces, rest)
                pieces = [rest[-1]]
        self.tail = b"".join(pieces)

    def _finished(self, pieces: list[bytes], rest: list[bytes]) -> Iterator[tuple[int, bytes]]:
        # `rest` ends with the beginning of the next line.
        line = b"".join(pieces)
        for following in rest:
            offset = self.end
            self.end += len(line) + 1
            yield offset, line
            line = following


def read_at(fd: int, offset: int, length: int) -> bytes:
    """Read `length` bytes from `offset`, fewer only where the file ends."""
    data = os.pread(fd, length, offset)
    while len(data) < length:
        more = os.pread(fd, length - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data
