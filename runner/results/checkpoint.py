"""What a large results file held, kept beside it so that the next run need not read it all.

Disposable, and never believed over the data: it counts only while the results file is untouched
since it was made, or still begins with the very bytes it was made from.
"""

import os
import sys
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, NamedTuple
from zlib import crc32

import msgspec

from runner.results.column import Column, item_bytes
from runner.results.states import State
from runner.results.table import ResultTable

WORTH_ROWS = 20_000
"""A file of so many lines is read in 0.05 s: what is smaller has no checkpoint."""
_LAYOUT = 3
_BLOCK_BYTES = 256 * 1024
_LONGEST_HEAD = 64 * 1024
_SEAL_BYTES = 16
_CODES = frozenset("BHIQ")


class Identity(msgspec.Struct, frozen=True):
    """What changes whenever a file does."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


class Known(NamedTuple):
    """What the beginning of a results file holds, and what tells it from every other."""

    table: ResultTable
    size: int
    """Bytes of that beginning: whole lines."""
    crc: int
    """CRC-32 of them."""


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    name: str
    code: str
    count: int


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    layout: int
    byteorder: str
    identity: Identity
    size: int
    crc: int
    ids: int
    salt: bytes
    states: list[State]
    columns: list[_Stored]


def identity(fd: int) -> Identity:
    """Tell an open file from what it was and will be."""
    found = os.fstat(fd)
    return Identity(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def save(path: Path, read: Identity, known: Known) -> bool:
    """Keep what is known of a results file, of which `read` says what it was meanwhile.

    A run that is killed then leaves the next one only its own records to read, and so does one
    that changes nothing. That it cannot be written is no failure: False.
    """
    table = known.table
    if not table.log.places.gapless:
        return False  # the run that puts the file in order takes out what is no record
    columns = table.columns()
    head = _Head(
        layout=_LAYOUT,
        byteorder=sys.byteorder,
        identity=read,
        size=known.size,
        crc=known.crc,
        ids=len(table),
        salt=table.index.salt,
        states=list(table.log.states),
        columns=[_Stored(name, one.code, len(one)) for name, one in columns.items()],
    )
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("wb") as file:
            _write_sealed(file, msgspec.json.encode(head) + b"\n", list(columns.values()))
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        return False
    return True


def load(path: Path, fd: int) -> Known | None:
    """Give what is known of an open results file; None where nothing is that counts."""
    try:
        with path.open("rb") as file:
            line = file.readline(_LONGEST_HEAD)
            head = msgspec.json.decode(line, type=_Head)
            if head.layout != _LAYOUT or head.byteorder != sys.byteorder:
                return None
            if _size(head, line) != os.fstat(file.fileno()).st_size or not _counts(head, fd):
                return None
            return Known(_unpack(file, head, line), head.size, head.crc)
    except (OSError, EOFError, ValueError, msgspec.MsgspecError):
        return None


def _size(head: _Head, line: bytes) -> int:
    """How long the whole checkpoint has to be: a head that lies must not fill the memory."""
    if any(one.code not in _CODES or one.count < 0 for one in head.columns):
        return 0
    return len(line) + sum(one.count * item_bytes(one.code) for one in head.columns) + _SEAL_BYTES


def _counts(head: _Head, fd: int) -> bool:
    now = identity(fd)
    if now == head.identity and now.size == head.size:
        return True
    return now.size >= head.size and _crc(fd, head.size) == head.crc


def _crc(fd: int, size: int) -> int:
    crc = position = 0
    while position < size:
        block = os.pread(fd, min(_BLOCK_BYTES, size - position), position)
        if not block:
            break
        crc = crc32(block, crc)
        position += len(block)
    return crc


def _write_sealed(file: BinaryIO, head: bytes, columns: list[Column]) -> None:
    seal = blake2b(head, digest_size=_SEAL_BYTES)
    file.write(head)
    for column in columns:
        for view in column.views():
            seal.update(view)
            file.write(view)
    file.write(seal.digest())


def _unpack(file: BinaryIO, head: _Head, line: bytes) -> ResultTable:
    """Raises EOFError or ValueError where the file is not what was written."""
    seal = blake2b(line, digest_size=_SEAL_BYTES)
    columns = {}
    for stored in head.columns:
        column = columns[stored.name] = Column(stored.code)
        column.fill(file, stored.count)
        for view in column.views():
            seal.update(view)
    if file.read() != seal.digest():
        raise ValueError("the checkpoint is not whole")
    return ResultTable.restored(head.salt, head.states, head.ids, columns)
