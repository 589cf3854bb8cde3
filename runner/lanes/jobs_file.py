"""The jobs of a chunk on the disk, a line each: any of them can be read by its row."""

import os
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Raw

from runner.models import Job

_NO_METADATA = Raw()


class _Stored(Job, frozen=True, kw_only=True):
    # msgspec takes a Raw out of a line only where the type says nothing but Raw.
    metadata: Raw = _NO_METADATA


class _Head(msgspec.Struct):
    id: str
    digest: str


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Stored)
_head = msgspec.json.Decoder(_Head)


def encode_job(job: Job) -> bytes:
    """Write a job as one line."""
    return _encoder.encode(job).replace(b"\n", b" ") + b"\n"


def _decode(line: bytes) -> Job:
    stored = _decoder.decode(line)
    metadata = stored.metadata
    given = metadata is not _NO_METADATA and bytes(metadata) != b"null"
    fields = {name: getattr(stored, name) for name in Job.__struct_fields__}
    fields["metadata"] = metadata.copy() if given else None
    return Job(**fields)


def jobs_in(path: Path) -> Iterator[Job]:
    """Read all jobs, one after the other."""
    with path.open("rb") as file:
        for line in file:
            yield _decode(line)


def heads_in(path: Path) -> Iterator[tuple[str, str]]:
    """Read id and digest of all jobs, one after the other."""
    with path.open("rb") as file:
        for line in file:
            head = _head.decode(line)
            yield head.id, head.digest


class JobsFile:
    """An open file of jobs: 8 bytes of memory a job."""

    def __init__(self, path: Path) -> None:
        """Read it once to learn where each job stands."""
        self._file: BinaryIO = path.open("rb")
        self._starts = array("Q", [0])
        for line in self._file:
            self._starts.append(self._starts[-1] + len(line))

    def __len__(self) -> int:
        return len(self._starts) - 1

    def get(self, row: int) -> Job:
        """Read the job of a row."""
        start, end = self._starts[row], self._starts[row + 1]
        return _decode(os.pread(self._file.fileno(), end - start, start))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
