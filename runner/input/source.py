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

_OTHER_TOOLS = {".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}
_SEPARATORS = {".csv": ",", ".tsv": "\t"}
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
    packed: bool = False
    """Whether it is compressed with gzip, by its name."""
    folder: Path = Path()
    """Where files are that jobs name: beside a file of jobs, else the current folder."""
    separator: str | None = None
    """What stands between the cells of a table, by its name; None where every line is JSON."""

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
    packed, separator = _format(name)
    source = Source(
        name=name,
        label=shown,
        path=path,
        rereadable=stat.S_ISREG(mode),
        packed=packed,
        separator=separator,
        folder=path.parent if stat.S_ISREG(mode) else Path(),
    )
    if source.descriptor() is not None:
        return replace(source, rereadable=False, folder=Path())
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
    for suffix, tool in _OTHER_TOOLS.items():
        if lower.endswith(suffix):
            raise UsageError(
                f"{shown} is compressed in a way that runner does not read.\n"
                f"Unpack it on the way:  {tool} -dc {shell_quote(name)} | runner batch -"
            )
    if lower.endswith((".xlsx", ".xls", ".ods")):
        raise UsageError(
            f"{shown} is a workbook, which runner does not read.\n"
            'Save it as "CSV UTF-8" and name that file.'
        )


def _format(name: str) -> tuple[bool, str | None]:
    """Tell by a file's name whether it is packed, and what separates its cells."""
    lower = name.lower()
    plain = lower.removesuffix(".gz")
    separators = (between for suffix, between in _SEPARATORS.items() if plain.endswith(suffix))
    return plain != lower, next(separators, None)
