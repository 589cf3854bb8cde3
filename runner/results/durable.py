"""Bytes that must be on the disk: whole writes, synced folders, files replaced in one step.

Knows nothing of what the bytes mean.
"""

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from runner.errors import WriteError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_REASONS = {
    errno.ENOSPC: ("there is no space left on the disk", "Make room"),
    errno.EDQUOT: ("the disk quota is used up", "Make room"),
    errno.EFBIG: ("the file has reached the largest size allowed here", "Raise that limit"),
    errno.EROFS: ("the file system is read-only", "Make it writable"),
    errno.EACCES: ("permission denied", "Allow writing"),
    errno.EPERM: ("permission denied", "Allow writing"),
}
_ELSEWHERE = (errno.EROFS, errno.EACCES, errno.EPERM)
"""Where the file itself is in the wrong place."""

# macOS has no fdatasync.
sync_data = getattr(os, "fdatasync", os.fsync)


def cannot_write(name: str | Path, error: OSError) -> WriteError:
    """Say in a person's words what kept us from writing and what to do."""
    number = error.errno or 0
    reason, remedy = _REASONS.get(number, (error.strerror or str(error), "Mend that"))
    problem = f"cannot write {name}: {reason}"
    other = ", or choose another file with -o" if number in _ELSEWHERE else ""
    failure = WriteError(
        f"{problem}. {remedy}{other},\nthen give the same command again. "
        "Every answer recorded so far is whole."
    )
    failure.problem, failure.remedy = problem, remedy
    failure.no_room = number in NO_ROOM
    return failure


def write_all(fd: int, data: bytes) -> None:
    """Write every byte, however many calls it takes.

    A nearly full disk takes a part without an error and refuses the next call, so the count
    that `write` returns is what says whether the data is there.
    """
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def sync_folder(path: Path) -> None:
    """Make a rename in the folder of `path` last through a loss of power."""
    fd = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def append_synced(path: Path, pieces: Iterable[bytes]) -> None:
    """Append to a side file and wait until the disk has it."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        for piece in pieces:
            write_all(fd, piece)
        os.fsync(fd)
    finally:
        os.close(fd)


def replace_file(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Put a small file in place in one step: a reader sees the old one or the new one.

    Without `sync` a loss of power may leave it empty; `kill -9` may not.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        # Never through a link that somebody has laid there.
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        fd = os.open(temporary, flags, 0o666)
        try:
            write_all(fd, data)
            if sync:
                os.fsync(fd)
        finally:
            os.close(fd)
        temporary.replace(path)
    except OSError:
        # Half a file helps nobody and takes room that may be what is missing.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
