"""Blocks of bytes cut into numbered lines, at line feeds only. No input or output, no JSON.

`splitlines()` would also cut at U+2028, U+0085 and others, which may stand inside a JSON string.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Unread:
    """What is left of a line that cannot be read: its content was not kept."""

    size: int
    """Bytes, without the line break."""
    sha256: str
    """In hex, over the whole line."""
    reason: str | None = None
    """What is wrong with it; None where it passed the bound."""

    def __len__(self) -> int:
        return self.size


Line = bytes | Unread


class Cut(NamedTuple):
    """The lines that a block completes."""

    first: int
    """The number of the first of them, from 1."""
    lines: list[Line]
    begin: int
    """Where they begin, a BOM left out, in bytes from where the splitter began."""
    end: int
    """Where the line after them begins."""


class Cutter(ABC):
    """Makes numbered lines of blocks that follow each other."""

    @abstractmethod
    def cut(self, block: bytes) -> Cut:
        """Take the next block; give the lines it completes."""

    @abstractmethod
    def rest(self) -> Cut:
        """Give what is left where the input ends."""

    def feed(self, block: bytes) -> Iterable[tuple[int, Line]]:
        """Take the next block; give the lines it completes with their numbers, from 1."""
        cut = self.cut(block)
        return enumerate(cut.lines, cut.first)

    def finish(self) -> Iterable[tuple[int, Line]]:
        """Give the last line where the input did not end with a line break."""
        cut = self.rest()
        return enumerate(cut.lines, cut.first)


class LineSplitter(Cutter):
    """Cut a stream of blocks into lines, holding at most one unfinished line within the bound."""

    def __init__(self, max_line_bytes: int, *, before: int = 0) -> None:
        """Begin behind so many lines."""
        self._bound = max_line_bytes
        self._number = before
        self._fed = self._end = 0
        self._parts: list[bytes] = []
        self._size = 0
        self._skipped = hashlib.sha256()

    def cut(self, block: bytes) -> Cut:
        """Take the next block; give the lines it completes."""
        self._fed += len(block)
        pieces = block.split(b"\n")
        rest = pieces.pop()
        lines: list[Line] = list(pieces)
        if pieces:
            self._hold(pieces[0])
            lines[0] = self._take()
            if len(block) > self._bound:
                lines[1:] = [self._bounded(piece) for piece in pieces[1:]]
        self._hold(rest)
        return self._numbered(lines)

    def rest(self) -> Cut:
        """Give the last line where the input did not end with a line break."""
        return self._numbered([self._take()] if self._size else [])

    def _numbered(self, lines: list[Line]) -> Cut:
        first, begin = self._number + 1, self._end
        self._number += len(lines)
        self._end = self._fed - self._size
        if first == 1 and lines and isinstance(lines[0], bytes) and lines[0].startswith(BOM):
            lines[0] = lines[0].removeprefix(BOM)
            begin += len(BOM)
        return Cut(first, lines, begin, self._end)

    def _bounded(self, piece: bytes) -> Line:
        if len(piece) <= self._bound:
            return piece
        return Unread(len(piece), hashlib.sha256(piece).hexdigest())

    def _hold(self, piece: bytes) -> None:
        was_within = self._size <= self._bound
        self._size += len(piece)
        if self._size <= self._bound:
            self._parts.append(piece)
            return
        if was_within:
            self._skipped = hashlib.sha256()
            for part in self._parts:
                self._skipped.update(part)
            self._parts.clear()
        self._skipped.update(piece)

    def _take(self) -> Line:
        line: Line
        if self._size <= self._bound:
            line = b"".join(self._parts)
        else:
            line = Unread(self._size, self._skipped.hexdigest())
        self._parts.clear()
        self._size = 0
        return line
