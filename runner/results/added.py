"""What a run has appended to a results file, in the few bytes a record that order needs.

In one run each job is recorded once, and each has a line of its own: that stands for its id.
"""

from struct import Struct

from runner.models import Status

_ROW = Struct("<qIIB")
_PER_BLOCK = 8192


class Added:
    """The records of a run by number, from 0: 17 bytes each, in blocks that never move."""

    def __init__(self) -> None:
        self.count = 0
        self._blocks: list[bytearray] = []

    def add(self, offset: int, length: int, line: int | None, status: Status) -> None:
        """Take in the next record."""
        at = self.count % _PER_BLOCK
        if at == 0:
            self._blocks.append(bytearray(_PER_BLOCK * _ROW.size))
        succeeded = status == "succeeded"
        _ROW.pack_into(self._blocks[-1], at * _ROW.size, offset, length, line or 0, succeeded)
        self.count += 1

    def place(self, number: int) -> tuple[int, int]:
        """Give offset and length of a record, without its newline."""
        return self._row(number)[:2]

    def line(self, number: int) -> int:
        """Give the line in the input that a record names; 0 for none."""
        return self._row(number)[2]

    def succeeded(self, number: int) -> bool:
        """Whether a record holds a whole answer."""
        return bool(self._row(number)[3])

    def _row(self, number: int) -> tuple[int, int, int, int]:
        block = self._blocks[number // _PER_BLOCK]
        offset, length, line, ok = _ROW.unpack_from(block, number % _PER_BLOCK * _ROW.size)
        return offset, length, line, ok
