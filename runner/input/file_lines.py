"""The lines of a file that can be read twice: all in order, or one of them again."""

import os
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from runner.errors import UsageError
from runner.input.lines import Cut, Line, LineSplitter
from runner.input.source import BLOCK_BYTES

_MARK_BYTES = 8 * 1024
"""How far a line may stand behind a place that is known: so much is read to find it again."""


class FileLines:
    """A file open for reading. Raises UsageError where it cannot be opened or read."""

    def __init__(self, path: Path, max_line_bytes: int) -> None:
        self._path = path
        self._bound = max_line_bytes
        self._fd = -1
        self._marked = array("Q", [1])
        self._offsets = array("Q", [0])
        self._near = Cut(0, [], 0, 0)
        """What was read again last; the next line is often among it."""

    def __enter__(self) -> Self:
        try:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise self._unreadable(error) from None
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def cuts(self) -> Iterator[Cut]:
        """Give all lines, block by block."""
        splitter, offset = LineSplitter(self._bound), 0
        while block := self._read(BLOCK_BYTES, offset):
            offset += len(block)
            yield splitter.cut(block)
        yield splitter.rest()

    def numbered(self) -> Iterator[tuple[int, Line]]:
        """Give all lines with their numbers."""
        for cut in self.cuts():
            yield from enumerate(cut.lines, cut.first)

    def mark(self, cut: Cut) -> None:
        """Note where the next lines of the file stand, every few kilobytes."""
        lines, offset = cut.lines, cut.begin
        step = len(lines) * _MARK_BYTES // max(1, cut.end - offset) + 1
        for at in range(0, len(lines), step):
            self._marked.append(cut.first + at)
            self._offsets.append(offset)
            offset += sum(map(len, lines[at : at + step])) + step

    def line(self, number: int) -> Line:
        """Read a line again that was marked; an empty one where the file has changed."""
        at = number - self._near.first
        if not 0 <= at < len(self._near.lines):
            self._near = self._lines_near(number)
            at = number - self._near.first
        return self._near.lines[at] if at < len(self._near.lines) else b""

    def _lines_near(self, number: int) -> Cut:
        mark = bisect_right(self._marked, number) - 1
        # The very first line may stand behind a BOM, which belongs to no line.
        offset = self._offsets[mark] if self._marked[mark] > 1 else 0
        splitter = LineSplitter(self._bound, before=self._marked[mark] - 1)
        while block := self._read(2 * _MARK_BYTES, offset):
            offset += len(block)
            cut = splitter.cut(block)
            if number < cut.first + len(cut.lines):
                return cut
        return splitter.rest()

    def _read(self, size: int, offset: int) -> bytes:
        try:
            return os.pread(self._fd, size, offset)
        except OSError as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: OSError) -> UsageError:
        return UsageError(f"{self._path} cannot be read: {error.strerror}.")
