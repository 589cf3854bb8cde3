"""Input that cannot be read twice: checked as it comes, and never in the way of Ctrl-C."""

import os
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest

from runner.errors import LineProblem, UsageError
from runner.input.parser import JobParser
from runner.input.reader import read_jobs
from runner.input.source import Source, open_source
from runner.models import Job
from tests.input.helpers import encoded, make_parser

pytestmark = pytest.mark.anyio

Items = AsyncGenerator[Job | LineProblem]


@pytest.fixture
def pipe() -> Iterator[tuple[Source, int]]:
    """A pipe as the shell's <(...) gives it: the input, and the descriptor to write to."""
    reading, writing = os.pipe()
    try:
        yield open_source(f"/dev/fd/{reading}"), writing
    finally:
        for descriptor in (reading, writing):
            try:
                os.close(descriptor)
            except OSError:
                assert descriptor == writing, "the reader must not close what it did not open"


def line_of(item: Job | LineProblem) -> int | None:
    return item.line


async def read_all(source: Source, parser: JobParser | None = None) -> list[Job | LineProblem]:
    return [item async for item in read_jobs(source, parser or make_parser("stdin"))]


async def test_a_job_is_there_as_soon_as_its_line_is(pipe: tuple[Source, int]) -> None:
    """A slow producer's first job does not wait for its second, nor for a full block."""
    source, writing = pipe
    async with aclosing(read_jobs(source, make_parser())) as jobs:
        for prompt in ("a", "b"):
            os.write(writing, encoded({"prompt": prompt}) + b'\n{"prom')
            with anyio.fail_after(5):
                assert isinstance(await anext(jobs), Job)
            os.write(writing, b'pt": "late"}\n' if prompt == "a" else b"")
            if prompt == "a":
                await anext(jobs)
        os.close(writing)
        with anyio.fail_after(5):
            last = await anext(jobs)
    assert isinstance(last, LineProblem)
    assert "a quote is missing" in last.message


async def test_waiting_for_a_silent_writer_can_be_cancelled(pipe: tuple[Source, int]) -> None:
    """Cancelling takes effect at once though the writer says nothing, and leaves no thread."""
    source, _ = pipe
    threads = threading.active_count()
    with anyio.move_on_after(0.05) as scope:
        await read_all(source)
    assert scope.cancelled_caught
    assert threading.active_count() == threads


async def test_a_fifo_without_a_writer_can_be_cancelled(tmp_path: Path) -> None:
    """Waiting for somebody to open the other end blocks nothing."""
    os.mkfifo(tmp_path / "fifo")
    with anyio.move_on_after(0.05) as scope:
        await read_all(open_source(str(tmp_path / "fifo")))
    assert scope.cancelled_caught


async def test_a_fifo_is_read_until_its_writer_closes(tmp_path: Path) -> None:
    """A writer that comes later is waited for, and the last line needs no end."""
    name = str(tmp_path / "fifo")
    os.mkfifo(name)
    found: list[Job | LineProblem] = []

    async def read() -> None:
        found.extend(await read_all(open_source(name)))

    def write() -> None:
        with Path(name).open("wb") as file:
            file.write(b"\xef\xbb\xbf\n" + encoded({"prompt": "x" * 300_000}) + b"\n")
            file.write(encoded({"prompt": "b"}))

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            await anyio.to_thread.run_sync(write)
    assert [line_of(item) for item in found] == [2, 3]
    assert all(isinstance(item, Job) for item in found)


async def test_bad_lines_and_second_uses_are_problems(pipe: tuple[Source, int]) -> None:
    """A bad line of a stream is a problem of its own, with a unique id; the rest goes on."""
    source, writing = pipe
    lines = [
        {"id": "a", "prompt": "x"},
        b"{",
        {"id": "a", "prompt": "y"},
        b"{",
        {"text": "a row"},
        {"prompt": "z"},
        {"prompt": "z"},
    ]
    os.write(writing, b"\n".join(map(encoded, lines)))
    os.close(writing)
    items = await read_all(source)
    problems = [item for item in items if isinstance(item, LineProblem)]
    assert [problem.line for problem in problems] == [2, 3, 4, 5]
    assert problems[0].where == "stdin:2"
    assert problems[1].message == 'id "a" was used before'
    assert len({item.id for item in items}) == 7
    assert items[6].id == f"{items[5].id}-2"


@pytest.mark.parametrize(
    ("first", "words"),
    [({"text": "a row"}, "runner batch - -t"), ({"prompt": "hi"}, "no model chosen")],
)
async def test_a_first_line_can_refuse_the_whole(
    first: dict[str, str], words: str, pipe: tuple[Source, int]
) -> None:
    """What the first line shows to be wrong with everything is told once, before any job."""
    source, writing = pipe
    os.write(writing, encoded(first) + b"\n")
    with pytest.raises(UsageError, match=words):
        await read_all(source, make_parser("stdin", model=None))


async def test_later_lines_refuse_only_themselves(pipe: tuple[Source, int]) -> None:
    """Once jobs went out, a line without a model is a problem of that line."""
    source, writing = pipe
    lines = [{"prompt": "a", "model": "sim/steady"}, {"prompt": "b"}, {"prompt": "c", "id": "c"}]
    os.write(writing, b"\n".join(map(encoded, lines)))
    os.close(writing)
    first, second, third = await read_all(source, make_parser("stdin", model=None))
    assert isinstance(first, Job)
    assert isinstance(second, LineProblem)
    assert second.message.startswith("no model chosen. Add -m")
    assert isinstance(third, LineProblem)


async def test_a_redirected_file_is_read_to_its_end(tmp_path: Path) -> None:
    """A regular file behind a descriptor is read though it cannot be waited for."""
    path = tmp_path / "jobs.jsonl"
    path.write_bytes((encoded({"prompt": "x" * 1000}) + b"\n") * 600)
    with path.open("rb") as file:
        items = await read_all(open_source(f"/dev/fd/{file.fileno()}"))
    assert [line_of(item) for item in items] == list(range(1, 601))


async def test_a_closed_descriptor_is_said() -> None:
    """Reading where nothing is open is bad usage."""
    reading, writing = os.pipe()
    source = open_source(f"/dev/fd/{reading}")
    os.close(reading)
    os.close(writing)
    with pytest.raises(UsageError, match="cannot be read: Bad file descriptor"):
        await read_all(source)
