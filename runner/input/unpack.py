"""Blocks of a gzip file unpacked, a little at a time however well it is compressed."""

import zlib
from collections.abc import Iterator

PIECE_BYTES = 256 * 1024
_WITH_HEADER = 31
"""Tells zlib to expect gzip's header, and to check the sum at the end."""


class DamagedError(Exception):
    """What cannot be unpacked; the text goes on behind the file's name."""


class Unpacker:
    """Unpacks blocks that follow each other: members one behind the other, zeros at the end."""

    def __init__(self) -> None:
        self._member: zlib._Decompress | None = None
        self._members = 0
        self._any = False

    def pieces(self, block: bytes) -> Iterator[bytes]:
        """Take the next block; give what it holds. Raises DamagedError."""
        self._any = self._any or bool(block)
        while True:
            if self._member is None:
                # Tapes and some tools fill the last block up with zeros.
                block = block.lstrip(b"\0") if self._members else block
                if not block:
                    return
                self._member = zlib.decompressobj(_WITH_HEADER)
            try:
                piece = self._member.decompress(block, PIECE_BYTES)
            except zlib.error as error:
                raise DamagedError(self._words(str(error))) from None
            if piece:
                yield piece
            if self._member.eof:
                block, self._member = self._member.unused_data, None
                self._members += 1
                continue
            block = self._member.unconsumed_tail
            if not block and len(piece) < PIECE_BYTES:
                return

    def finish(self) -> None:
        """Say that nothing follows. Raises DamagedError where something should have."""
        if self._member is not None:
            raise DamagedError("ends too early: the compressed data is not complete")
        if not self._any:
            raise DamagedError("is empty, not compressed")

    def _words(self, error: str) -> str:
        if "header" not in error:
            return "is damaged: the compressed data cannot be unpacked"
        if self._members:
            return "is damaged: something else follows the compressed data"
        return "is not compressed with gzip, though its name ends in .gz"
