"""A little room kept on the disk of the results, for the answers that are paid when it fills.

Knows nothing of records. The file holds nothing and may be deleted at any time.
"""

import os
from contextlib import suppress
from pathlib import Path

from runner.results.durable import NO_ROOM

LEAST_BYTES = 1024 * 1024
BYTES_PER_ANSWER = 16 * 1024
"""A long answer, with the provider's body."""
_SPARE = 8
"""A reserve is taken where so many times its size is free: it must not fill a disk itself."""


def reserve_size(concurrency: int) -> int:
    """Bytes for all the answers that can be on their way at once, and the summary."""
    return max(LEAST_BYTES, concurrency * BYTES_PER_ANSWER)


class Reserve:
    """One spare file, held from `take` to `give_back`. Where it cannot be had, there is none."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size
        self._held = False

    def __enter__(self) -> "Reserve":
        self.take()
        return self

    def __exit__(self, *_: object) -> None:
        self.give_back()

    def take(self) -> None:
        """Take the room if there is plenty; what a killed run has left is taken over."""
        if self._plenty():
            self.regain()
        if not self._held:
            self.give_back()

    def regain(self) -> bool:
        """Take the room again, plenty or not. False if there is none."""
        try:
            self._allocate()
        except OSError as error:
            self.give_back()
            # Any other refusal says nothing of the room there is.
            return error.errno not in NO_ROOM
        return True

    def give_back(self) -> bool:
        """Remove the file. True if there is more room now."""
        was_held, self._held = self._held, False
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
            return was_held
        return False

    def _plenty(self) -> bool:
        try:
            disk = os.statvfs(self._path.parent)
        except OSError:
            return False
        return disk.f_bavail * disk.f_frsize >= _SPARE * self._size

    def _allocate(self) -> None:
        if not hasattr(os, "posix_fallocate"):  # macOS
            return
        fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            os.posix_fallocate(fd, 0, self._size)
        finally:
            os.close(fd)
        self._held = True


class NoReserve:
    """Stands in where nothing is kept beside the output."""

    def __enter__(self) -> "NoReserve":
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing."""

    def regain(self) -> bool:
        """Say that nothing is missing."""
        return True

    def give_back(self) -> bool:
        """Have nothing to give."""
        return False
