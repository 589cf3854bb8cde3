"""The lines of a file that can be read twice: all in order, or one of them again."""

import os
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from typing import BinaryIO, Self

from runner.errors import UsageError
from runner.input.cutting import Cutting, Unpacking
from runner.input.lines import Cut, Line
from runner.input.source import BLOCK_BYTES, Source
from runner.input.unpack import DamagedError

_MARK_BYTES = 8 * 1024
"""How far a line may stand behind a place that is known: so much is read to find it again."""


class FileLines:
    """A file open for reading. Raises UsageError where it cannot be opened, unpacked or read."""

    def __init__(self, source: Source, max_line_bytes: int) -> None:
        """Prepare to read a source that has a path."""
        self._source = source
        self._cutting = Cutting(source, max_line_bytes)
        self._fd = -1
        self._unpacked: BinaryIO | None = None
        """What a packed file holds, in a file without a name, once a line is read again."""
        self._marked = array("Q", [1])
        self._offsets = array("Q", [0])
        self._near = Cut(0, [], 0, 0)
        """What was read again last; the next line is often among it."""

    def __enter__(self) -> Self:
        try:
            self._fd = os.open(self._source.path or "", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise self._unreadable(error) from None
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)
        if self._unpacked is not None:
            self._unpacked.close()

    def cuts(self) -> Iterator[Cut]:
        """Give all lines, block by block."""
        cutter = self._cutting.begin()
        for piece in self._pieces():
            yield cutter.cut(piece)
        yield cutter.rest()

    def numbered(self) -> Iterator[tuple[int, Line]]:
        """Give all lines with their numbers."""
        for cut in self.cuts():
            yield from enumerate(cut.lines, cut.first)

    def mark(self, cut: Cut) -> None:
        """Note where the next lines of the file stand, every few kilobytes."""
        lines, offset = cut.lines, cut.begin
        step = len(lines) * _MARK_BYTES // max(1, cut.end - offset) + 1
        if self._source.separator is not None:
            step = len(lines) or 1  # of a row nobody knows how long it was in the file
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
        cutter = self._cutting.go_on(self._marked[mark] - 1)
        file = self._fd if not self._source.packed else self._unpacked_file()
        while block := self._read(file, 2 * _MARK_BYTES, offset):
            offset += len(block)
            cut = cutter.cut(block)
            if number < cut.first + len(cut.lines):
                return cut
        return cutter.rest()

    def _unpacked_file(self) -> int:
        if self._unpacked is None:
            import tempfile  # slow, and next to nobody needs it

            # A packed file can only be read from its beginning.
            self._unpacked = tempfile.TemporaryFile(prefix="runner-unpacked-")  # noqa: SIM115
            try:
                for piece in self._pieces():
                    self._unpacked.write(piece)
                self._unpacked.flush()
            except OSError as error:
                raise UsageError(
                    f"there is no room to unpack {self._source.label} in {tempfile.gettempdir()}: "
                    f"{error.strerror}.\nTMPDIR names another folder."
                ) from None
        return self._unpacked.fileno()

    def _pieces(self) -> Iterator[bytes]:
        """Give all that the file holds, unpacked."""
        unpacking, offset = Unpacking(self._source), 0
        try:
            while block := self._read(self._fd, BLOCK_BYTES, offset):
                offset += len(block)
                yield from unpacking.pieces(block)
            unpacking.finish()
        except DamagedError as error:
            raise UsageError(f"{self._source.label} {error}. Nothing was sent.") from None

    def _read(self, file: int, size: int, offset: int) -> bytes:
        try:
            return os.pread(file, size, offset)
        except OSError as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: OSError) -> UsageError:
        return UsageError(f"{self._source.label} cannot be read: {error.strerror}.")
