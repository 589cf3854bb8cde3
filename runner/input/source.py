"""Where jobs come from: a file that can be read twice, or a stream that cannot."""

import os
import re
import stat
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from runner.errors import UsageError
from runner.words import printable, shell_quote

STDIN = "-"
BLOCK_BYTES = 256 * 1024
"""A hop to a reading thread costs as much as reading this much."""

_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An input that exists and may be opened."""

    name: str
    """As the user typed it."""
    label: str
    """For messages: the path as typed, or `stdin`."""
    path: Path | None
    """None for stdin."""
    rereadable: bool
    """True for a regular file; False for stdin, a FIFO, `/dev/fd/N`."""
    copied: bool = False
    """A stream, of which a copy can be read twice."""

    @property
    def streamed(self) -> bool:
        """Whether the jobs come as a stream, each of which is judged as it comes."""
        return self.copied or not self.rereadable

    def descriptor(self) -> int | None:
        """The open file descriptor that stands behind the name, if it means one."""
        if self.path is None or self.name == "/dev/stdin":
            return 0
        match = _DESCRIPTOR.fullmatch(self.name)
        return int(match[1]) if match else None


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """By what a change of the file is noticed."""

    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Fingerprint":
        """Take it from what the system says of a file."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def fingerprint(source: Source) -> Fingerprint | None:
    """What the file looks like now; None where it cannot be read twice, or is gone."""
    if source.path is None or not source.rereadable:
        return None
    try:
        return Fingerprint.of(source.path.stat())
    except OSError:
        return None


def open_source(name: str) -> Source:
    """Find the input. Raises UsageError where it is missing, unreadable or of an unknown kind."""
    if name == STDIN:
        if sys.stdin is None:
            raise UsageError("stdin is closed, so there are no jobs to read.")
        return Source(name=name, label="stdin", path=None, rereadable=False)
    path, shown = Path(name), printable(name)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise UsageError(_unreadable(shown, error)) from None
    if stat.S_ISDIR(mode):
        raise UsageError(f"{shown} is a folder, not a file of jobs.")
    _refuse_other_formats(name, shown)
    source = Source(name=name, label=shown, path=path, rereadable=stat.S_ISREG(mode))
    if source.descriptor() is not None:
        return replace(source, rereadable=False)
    if not os.access(path, os.R_OK):
        raise UsageError(f"{shown} cannot be read: you lack the permission.")
    return source


def _unreadable(shown: str, error: OSError | ValueError) -> str:
    match error:
        case FileNotFoundError():
            return f"there is no file {shown}."
        case PermissionError():
            return f"{shown} cannot be reached: you lack the permission."
        case OSError(strerror=str(reason)):
            return f"{shown} cannot be read: {reason}."
        case _:
            return "the name of the input holds a NUL character."


def _refuse_other_formats(name: str, shown: str) -> None:
    lower = name.lower()
    if lower.endswith(".gz"):
        raise UsageError(
            f"{shown} is compressed, which runner does not read yet.\n"
            f"Unpack it on the way:  gzip -dc {shell_quote(name)} | runner batch -"
        )
    if lower.endswith((".csv", ".tsv")):
        raise UsageError(
            f"{shown} is a table in CSV, which runner does not read yet.\n"
            "Turn it into JSON Lines, one object a row, and name that file."
        )
