"""Lines that may become many: kept in memory while they are few, then in a nameless file."""

import tempfile
import weakref
from collections.abc import Iterator

_IN_MEMORY = 1024 * 1024
_BLOCK = 256 * 1024


class Spool:
    """Bytes that are appended, then read any number of times."""

    def __init__(self, data: bytes = b"") -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed below
        weakref.finalize(self, self._file.close)
        self.size = 0
        self.add(data)

    def add(self, data: bytes) -> None:
        """Append bytes."""
        self._file.seek(self.size)
        self._file.write(data)
        self.size += len(data)

    def blocks(self, end: int | None = None) -> Iterator[bytes]:
        """Read from the beginning to `end` (else to the last byte), a block at a time."""
        place, end = 0, self.size if end is None else end
        while place < end:
            self._file.seek(place)
            block = self._file.read(min(_BLOCK, end - place))
            place += len(block)
            yield block
