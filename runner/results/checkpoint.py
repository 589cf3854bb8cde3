"""What a large results file held, kept beside it so that the next run need not read it all.

Disposable, and never believed over the data: it counts only while the results file is untouched
since it was made, or still begins with the very bytes it was made from.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

import msgspec

from runner.results.index import SLOT_BYTES
from runner.results.rows import Rows
from runner.results.table import ResultTable

WORTH_ROWS = 20_000
"""A file of so many lines is read in 0.1 s: what is smaller has no checkpoint."""
_LAYOUT = 2
_BLOCK_BYTES = 1024 * 1024
_LONGEST_HEAD = 64 * 1024
_SEAL_BYTES = 16


class _Identity(msgspec.Struct, frozen=True):
    """What changes whenever a file does."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    layout: int
    byteorder: str
    identity: _Identity
    size: int
    """Bytes of the results file that the table tells of."""
    crc: int
    """CRC-32 of those bytes."""
    rows: int
    ids: int
    slots: int
    salt: bytes
    words: list[str]


def save(path: Path, fd: int, table: ResultTable, size: int) -> bool:
    """Keep what the first `size` bytes of an open results file hold, before anything is added.

    A run that is killed then leaves the next one only its own records to read, and so does one
    that changes nothing. That it cannot be written is no failure: False.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        head = _Head(
            layout=_LAYOUT,
            byteorder=sys.byteorder,
            identity=_identity(fd),
            size=size,
            crc=_crc(fd, size),
            rows=table.rows,
            ids=len(table),
            slots=len(table.index.slots),
            salt=table.index.salt,
            words=table.words,
        )
        with temporary.open("wb") as file:
            _write_sealed(file, msgspec.json.encode(head) + b"\n", _pieces(table))
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        return False
    return True


def load(path: Path, fd: int) -> tuple[ResultTable, int] | None:
    """Give a table and up to where in the open results file it tells; None where none counts."""
    try:
        with path.open("rb") as file:
            head_line = file.readline(_LONGEST_HEAD)
            head = msgspec.json.decode(head_line, type=_Head)
            if head.layout != _LAYOUT or head.byteorder != sys.byteorder or not _counts(head, fd):
                return None
            if (
                head.rows < 0
                or head.slots < 0
                or _size(head, head_line) != os.fstat(file.fileno()).st_size
            ):
                return None
            return _unpack(file, head, head_line), head.size
    except (OSError, EOFError, ValueError, msgspec.MsgspecError):
        return None


def _counts(head: _Head, fd: int) -> bool:
    now = _identity(fd)
    if now == head.identity and now.size == head.size:
        return True
    return now.size >= head.size and _crc(fd, head.size) == head.crc


def _identity(fd: int) -> _Identity:
    found = os.fstat(fd)
    return _Identity(
        found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
    )


def _size(head: _Head, head_line: bytes) -> int:
    """How long the whole checkpoint has to be: a head that lies must not fill the memory."""
    return len(head_line) + head.rows * Rows.size + head.slots * SLOT_BYTES + _SEAL_BYTES


def _crc(fd: int, size: int) -> int:
    crc = position = 0
    while position < size:
        block = os.pread(fd, min(_BLOCK_BYTES, size - position), position)
        if not block:
            break
        crc = crc32(block, crc)
        position += len(block)
    return crc


def _pieces(table: ResultTable) -> Iterator[memoryview]:
    yield from table.packed.blocks()
    yield table.index.slots.cast("B")


def _write_sealed(file: BinaryIO, head: bytes, pieces: Iterator[memoryview]) -> None:
    seal = blake2b(head, digest_size=_SEAL_BYTES)
    file.write(head)
    for piece in pieces:
        seal.update(piece)
        file.write(piece)
    file.write(seal.digest())


def _unpack(file: BinaryIO, head: _Head, head_line: bytes) -> ResultTable:
    """Raises EOFError or ValueError where the file is not what was written."""
    table = ResultTable(head.salt, head.words)
    table.packed.fill(file, head.rows)
    table.index.fill(file, head.slots, head.ids)
    seal = blake2b(head_line, digest_size=_SEAL_BYTES)
    for piece in _pieces(table):
        seal.update(piece)
    if file.read() != seal.digest():
        raise ValueError("the checkpoint is not whole")
    return table
