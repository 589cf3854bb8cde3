"""The jobs of a checked file, while a run works."""

import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from runner.errors import LineProblem
from runner.input.reader import InputChangedError, read_jobs
from runner.input.source import BLOCK_BYTES, fingerprint, open_source
from runner.models import Job
from tests.input.helpers import check, encoded, make_parser, write_lines

pytestmark = pytest.mark.anyio


async def gather(jobs: AsyncGenerator[Job | LineProblem]) -> list[Job | LineProblem]:
    return [item async for item in jobs]


async def collect(jobs: AsyncGenerator[Job | LineProblem], into: list[Job | LineProblem]) -> None:
    async for item in jobs:
        into += [item]


async def test_the_second_pass_gives_the_same_jobs(tmp_path: Path) -> None:
    """Ids, digests and lines are those of the check, in whatever lines are wanted."""
    name = write_lines(
        tmp_path / "jobs.jsonl",
        *[{"prompt": "a"}, b"", {"promt": 1}, {"prompt": "b" * BLOCK_BYTES}, {"prompt": "a"}] * 3,
    )
    checked, jobs, _ = check(name)
    source = open_source(name)
    for wanted in ({1, 4, 5, 6, 9, 10, 11, 14, 15}, {5, 11}, {15}, set[int]()):
        read = read_jobs(
            source,
            make_parser(),
            wanted=wanted.__contains__,
            suffixes=checked.suffixes,
            fingerprint=checked.fingerprint,
        )
        assert await gather(read) == [job for job in jobs if job.line in wanted]


async def test_a_changed_file_is_not_read(tmp_path: Path) -> None:
    """A file with another fingerprint yields nothing."""
    path = tmp_path / "jobs.jsonl"
    source = open_source(write_lines(path, {"prompt": "a"}))
    before = fingerprint(source)
    write_lines(path, {"prompt": "a"}, {"prompt": "b"})
    with pytest.raises(InputChangedError, match="changed while it was being asked"):
        await gather(read_jobs(source, make_parser(), suffixes={}, fingerprint=before))


async def test_a_file_replaced_by_a_rename_is_noticed(tmp_path: Path) -> None:
    """Another file under the same name, of the same size and time, is another file."""
    path = tmp_path / "jobs.jsonl"
    source = open_source(write_lines(path, {"prompt": "a"}))
    before = fingerprint(source)
    assert before is not None
    other = tmp_path / "other.jsonl"
    write_lines(other, {"prompt": "b"})
    os.utime(other, ns=(before.mtime_ns, before.mtime_ns))
    other.rename(path)
    with pytest.raises(InputChangedError):
        await gather(read_jobs(source, make_parser(), suffixes={}, fingerprint=before))


@pytest.mark.parametrize("grown", [True, False])
async def test_nothing_of_a_changed_content_is_yielded(tmp_path: Path, grown: bool) -> None:
    """A change while reading ends the feed after what was read before it, never with new lines."""
    path = tmp_path / "jobs.jsonl"
    line = encoded({"prompt": "x" * 1000}) + b"\n"
    many = 3 * BLOCK_BYTES // len(line)
    path.write_bytes(line * many)
    source = open_source(str(path))
    jobs = read_jobs(source, make_parser(), suffixes={}, fingerprint=fingerprint(source))
    first = await anext(jobs)
    assert isinstance(first, Job)
    changed = line.replace(b"xx", b"yy")
    path.write_bytes(line * many + changed if grown else changed * many + b"\n")
    rest: list[Job | LineProblem] = []
    with pytest.raises(InputChangedError):
        await collect(jobs, rest)
    assert 0 < len(rest) < BLOCK_BYTES // len(line)
    assert {item.digest for item in [first, *rest] if isinstance(item, Job)} == {first.digest}


async def test_a_file_that_vanished_is_a_changed_one(tmp_path: Path) -> None:
    """A deleted file is told as changed or unreadable, never as ended."""
    name = write_lines(tmp_path / "jobs.jsonl", {"prompt": "a"})
    source = open_source(name)
    before = fingerprint(source)
    os.remove(name)  # noqa: PTH107 - a path object's own method is banned from async code
    with pytest.raises(InputChangedError, match="changed"):
        await gather(read_jobs(source, make_parser(), suffixes={}, fingerprint=before))
    with pytest.raises(InputChangedError, match="No such file"):
        await gather(read_jobs(source, make_parser(), suffixes={}))


async def test_the_last_line_needs_no_end(tmp_path: Path) -> None:
    """A last line without a line break is read, also right after a block's end."""
    path = tmp_path / "jobs.jsonl"
    first = encoded({"prompt": ""})
    first = encoded({"prompt": "x" * (BLOCK_BYTES - len(first) - 1)}) + b"\n"
    assert len(first) == BLOCK_BYTES
    path.write_bytes(first + b'{"prompt": "b"}')
    source = open_source(str(path))
    items = await gather(
        read_jobs(source, make_parser(), suffixes={}, fingerprint=fingerprint(source))
    )
    assert [isinstance(item, Job) and item.line for item in items] == [1, 2]
