"""Files compressed with gzip."""

import gzip
import os
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.input.reader import InputChangedError, read_jobs
from runner.input.source import fingerprint, open_source
from runner.input.unpack import PIECE_BYTES, DamagedError, Unpacker
from runner.models import Job
from tests.input.helpers import check, encoded, make_parser

pytestmark = pytest.mark.anyio

JOBS = b"".join(encoded({"prompt": f"job {n} {n * n}"}) + b"\n" for n in range(5000))


def unpacked(packed: bytes, size: int) -> bytes:
    """What is packed, taken in blocks of this size."""
    unpacker = Unpacker()
    pieces = [
        piece
        for at in range(0, len(packed), size)
        for piece in unpacker.pieces(packed[at : at + size])
    ]
    unpacker.finish()
    assert max(map(len, pieces), default=0) <= PIECE_BYTES
    return b"".join(pieces)


@pytest.mark.parametrize("size", [1, 1000, 1 << 30])
def test_members_are_unpacked_one_behind_the_other(size: int) -> None:
    """Files put together, as pigz and cat do, are read whole, and zeros at the end passed over."""
    packed = gzip.compress(b"one\n") + gzip.compress(b"") + gzip.compress(b"two\n") + b"\0" * 7
    assert unpacked(packed, size) == b"one\ntwo\n"


def test_what_is_packed_well_comes_in_pieces() -> None:
    """A block that unpacks to a thousand times its size is given a little at a time."""
    assert unpacked(gzip.compress(bytes(5_000_000)), 1 << 16) == bytes(5_000_000)


@pytest.mark.parametrize(
    ("packed", "words"),
    [
        (b"", "is empty, not compressed"),
        (b'{"prompt": "x"}\n', "is not compressed with gzip, though its name ends in .gz"),
        (gzip.compress(JOBS)[:-5], "ends too early"),
        (gzip.compress(JOBS)[:2], "ends too early"),
        (gzip.compress(JOBS)[:-8] + b"12345678", "is damaged: the compressed data cannot"),
        (gzip.compress(JOBS) + b"more", "is damaged: something else follows the compressed data"),
    ],
)
def test_damage_is_told(packed: bytes, words: str, tmp_path: Path) -> None:
    """What is not whole is refused before anything is sent."""
    with pytest.raises(DamagedError):
        unpacked(packed, 4096)
    path = tmp_path / "jobs.jsonl.gz"
    path.write_bytes(packed)
    with pytest.raises(UsageError, match="Nothing was sent") as raised:
        check(str(path))
    assert words in str(raised.value)


async def test_a_packed_file_is_read_like_any_other(tmp_path: Path) -> None:
    """Check and reader give the jobs that stand in it, with their lines."""
    path = tmp_path / "jobs.JSONL.GZ"
    path.write_bytes(gzip.compress(JOBS + encoded({"prompt": "job 7 49"}) + b"\n"))
    checked, jobs, _ = check(str(path))
    assert (checked.jobs, checked.repeats, jobs[-1].id) == (5001, 1, f"{jobs[7].id}-2")
    source = open_source(str(path))
    read = read_jobs(
        source,
        make_parser(),
        suffixes=checked.suffixes,
        fingerprint=fingerprint(source),
        wanted=lambda line: line > 4998,
    )
    assert [item async for item in read] == jobs[4998:]


async def test_a_fifo_named_so_is_unpacked(tmp_path: Path) -> None:
    """What comes through a FIFO is told by its name, and damage on the way ends the reading."""
    name = str(tmp_path / "jobs.jsonl.gz")
    os.mkfifo(name)
    keeper = os.open(name, os.O_RDWR)
    os.write(keeper, gzip.compress(encoded({"prompt": "a"}) + b"\n") + b"garbage")
    jobs = read_jobs(open_source(name), make_parser())
    first = await anext(jobs)
    assert (first.line, isinstance(first, Job)) == (1, True)
    with pytest.raises(InputChangedError, match="something else follows"):
        await anext(jobs)
    os.close(keeper)
