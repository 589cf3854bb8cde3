"""What makes lines of an input's blocks, by its format."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.input.lines import Cutter, LineSplitter
from runner.input.source import Source
from runner.input.unpack import Unpacker

if TYPE_CHECKING:
    from runner.input.table import TableCutter

_TABLE_BYTES = 16 * 1024
"""So much of a table is read again to find one of its rows."""


@dataclass
class Cutting:
    """Makes cutters for one input: from its beginning, or from the middle of it."""

    source: Source
    max_line_bytes: int
    _begun: "TableCutter | None" = field(default=None, init=False)

    def begin(self) -> Cutter:
        """Begin at the first line."""
        if self.source.separator is None:
            return LineSplitter(self.max_line_bytes)
        self._begun = self._table()
        return self._begun

    def go_on(self, before: int) -> Cutter:
        """Begin behind so many lines, of which the first have been read."""
        if self.source.separator is None:
            return LineSplitter(self.max_line_bytes, before=before)
        return self._table(before) if before else self._table()

    def _table(self, before: int = 0) -> "TableCutter":
        from runner.input.table import TableCutter  # most inputs are none

        header = self._begun.header if before and self._begun is not None else None
        return TableCutter(
            self.source.label,
            self.source.separator or ",",
            self.max_line_bytes,
            header=header,
            before=before,
        )


def _cut_up(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for at in range(0, len(piece), _TABLE_BYTES):
            yield piece[at : at + _TABLE_BYTES]


class Unpacking:
    """Unpacks blocks where the input is packed, and hands them on where it is not."""

    def __init__(self, source: Source) -> None:
        self._unpacker = Unpacker() if source.packed else None
        self._is_table = source.separator is not None

    def pieces(self, block: bytes) -> Iterable[bytes]:
        """Take the next block; give what it holds. Raises DamagedError."""
        pieces = (block,) if self._unpacker is None else self._unpacker.pieces(block)
        return _cut_up(pieces) if self._is_table else pieces

    def finish(self) -> None:
        """Say that nothing follows. Raises DamagedError."""
        if self._unpacker is not None:
            self._unpacker.finish()
