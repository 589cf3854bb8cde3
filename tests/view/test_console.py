"""Live text through real pipes and a terminal."""

import errno
import os
import select
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio import Event, create_task_group, fail_after, wait_all_tasks_blocked
from anyio.to_thread import run_sync

from runner.events import (
    AttemptStarted,
    DeltaReceived,
    JobFinished,
    JobLeft,
    JobQueued,
    RetryScheduled,
)
from runner.models import ErrorRecord, Result
from runner.view import console, outlet
from runner.view.console import LiveText
from runner.view.outlet import reader_has_gone, write_all
from runner.view.pen import Pen
from tests.view.support import answered, failed, job, refusal

pytestmark = pytest.mark.anyio
full_device = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="needs a device that is always full"
)


@pytest.fixture
def pipe() -> Iterator[list[int]]:
    """The reading and the writing end of a pipe; a test that closes one sets it to -1."""
    ends = list(os.pipe())
    yield ends
    for end in ends:
        if end >= 0:
            os.close(end)


def read_all(fd: int) -> bytes:
    """Everything that stands in a pipe whose writer is done for now."""
    data = b""
    while select.select([fd], [], [], 0)[0] and (more := os.read(fd, 65536)):
        data += more
    return data


async def test_each_delta_is_a_write_of_its_own(pipe: list[int]) -> None:
    """What is emitted is on the pipe at once, piece by piece."""
    live = LiveText(many=False, terminal=False, stdout=pipe[1])
    live.start()
    live.emit(JobQueued(job("a")))
    for number in range(20):
        live.emit(DeltaReceived(job("a"), f"{number} "))
        assert await run_sync(os.read, pipe[0], 100) == f"{number} ".encode()
    live.emit(JobFinished(answered("a")))
    assert await live.close(5.0)
    assert read_all(pipe[0]) == b""


async def test_a_batch_is_shown_in_input_order(pipe: list[int]) -> None:
    """Whatever the order of arrival, the text is that of the jobs one after the other."""
    notes = os.pipe()
    pen = Pen(notes[1])
    live = LiveText(many=True, terminal=False, stdout=pipe[1], notes=pen)
    live.start()
    for name in ("a", "b", "c", "d"):
        live.emit(JobQueued(job(name)))
    live.emit(AttemptStarted(job("a"), 1))
    live.emit(DeltaReceived(job("b"), "lost"))
    live.emit(RetryScheduled(job("b"), refusal(), 1.0))
    live.emit(DeltaReceived(job("b"), "B"))
    live.emit(DeltaReceived(job("a"), "thought", "reasoning"))
    live.emit(DeltaReceived(job("a"), "A"))
    assert live.shown("a")
    assert not live.shown("b")
    error = ErrorRecord(kind="invalid_job", message="bad line")
    live.emit(JobFinished(Result(id="x", digest=None, line=9, status="failed", error=error)))
    live.emit(JobFinished(failed("c")))
    live.emit(JobFinished(answered("b", "B")))
    live.emit(JobLeft(job("d")))
    live.emit(JobFinished(answered("a", "A")))
    live.note("told last")
    assert await live.close(5.0)
    assert pen.flush()
    assert read_all(pipe[0]) == b"A\nB\n"
    assert read_all(notes[0]).decode().splitlines() == [
        "c: not answered: no answer within 600 s",
        "x: not answered: bad line",
        "told last",
    ]
    for end in notes:
        os.close(end)


async def test_a_reader_that_has_gone_is_noticed_by_a_write(pipe: list[int]) -> None:
    """A closed pipe is told once in the event loop, and later text is dropped in silence."""
    told: list[OSError] = []
    noticed = Event()

    def tell(error: OSError) -> None:
        told.append(error)
        noticed.set()

    live = LiveText(many=False, terminal=False, stdout=pipe[1], on_failure=tell)
    live.start()
    os.close(pipe[0])
    pipe[0] = -1
    live.emit(DeltaReceived(job("a"), "x"))
    live.emit(DeltaReceived(job("a"), "y"))
    with fail_after(5):
        await noticed.wait()
    assert await live.close(5.0)
    assert len(told) == 1
    assert isinstance(live.failure, BrokenPipeError)


async def test_a_reader_that_has_gone_is_noticed_in_silence(pipe: list[int]) -> None:
    """A closed pipe is noticed although the model says nothing."""
    noticed = Event()
    live = LiveText(many=False, terminal=False, stdout=pipe[1], on_failure=lambda _: noticed.set())
    live.start()
    os.close(pipe[0])
    pipe[0] = -1
    with fail_after(5):
        await noticed.wait()
    assert isinstance(live.failure, BrokenPipeError)
    assert await live.close(5.0)


@full_device
async def test_a_full_disk_is_told_apart_from_a_closed_pipe() -> None:
    """Another failure of stdout is kept as it is."""
    full = os.open("/dev/full", os.O_WRONLY)
    noticed = Event()
    live = LiveText(many=False, terminal=False, stdout=full, on_failure=lambda _: noticed.set())
    live.start()
    live.emit(DeltaReceived(job("a"), "x"))
    with fail_after(5):
        await noticed.wait()
    assert live.failure is not None
    assert live.failure.errno == errno.ENOSPC
    assert await live.close(5.0)
    os.close(full)


@full_device
async def test_a_stderr_that_takes_nothing_stops_nothing(pipe: list[int]) -> None:
    """A note that cannot be written is dropped; the text goes on."""
    full = os.open("/dev/full", os.O_WRONLY)
    pen = Pen(full)
    live = LiveText(many=False, terminal=False, stdout=pipe[1], notes=pen)
    live.start()
    live.note("note")
    live.emit(DeltaReceived(job("a"), "x"))
    assert await live.close(5.0)
    assert pen.flush()
    assert live.failure is None
    assert read_all(pipe[0]) == b"x"
    os.close(full)


async def test_a_stuck_reader_holds_nobody_up(pipe: list[int]) -> None:
    """While the pipe is full the loop runs on, and closing gives up after its time."""
    live = LiveText(many=False, terminal=False, stdout=pipe[1])
    live.start()
    began = time.monotonic()
    for _ in range(40):
        live.emit(DeltaReceived(job("a"), "x" * 10_000))
    assert time.monotonic() - began < 1.0
    assert not await live.close(0.05)
    assert not await live.drained(0.0)
    # Let go of the thread, which otherwise would write into another test's pipe.
    received = 0
    while received < 400_000:
        received += len(await run_sync(os.read, pipe[0], 65536))
    assert await live.close(5.0)


async def test_a_slow_reader_makes_the_feeder_wait(
    pipe: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While too much waits to be written there is no room for new jobs; later there is."""
    monkeypatch.setattr(console, "_BACKLOG", 5)
    live = LiveText(many=False, terminal=False, stdout=pipe[1])
    for _ in range(8):
        live.emit(DeltaReceived(job("a"), "x"))
    passed = Event()

    async def feed() -> None:
        await live.room()
        passed.set()

    async with create_task_group() as group:
        group.start_soon(feed)
        await wait_all_tasks_blocked()
        assert not passed.is_set()
        live.start()
        with fail_after(5):
            await passed.wait()
    assert await live.close(5.0)
    assert read_all(pipe[0]) == b"x" * 8


async def test_a_file_is_written_without_being_watched(tmp_path: Path) -> None:
    """A regular file takes the text like a pipe."""
    path = tmp_path / "out"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    live = LiveText(many=False, terminal=False, stdout=fd)
    live.start()
    live.emit(DeltaReceived(job("a"), "text"))
    assert await live.close(5.0)
    os.close(fd)
    assert path.read_bytes() == b"text"


async def test_a_late_word_to_a_loop_that_has_gone_is_dropped(pipe: list[int]) -> None:
    """Before it is started, and after the loop has ended, nobody is told and nothing fails."""
    live = LiveText(many=False, terminal=False, stdout=pipe[1])
    live._in_loop(lambda: pytest.fail("must not be called"))


def test_a_descriptor_that_would_block_is_waited_for(pipe: list[int]) -> None:
    """A non-blocking stdout loses nothing."""
    os.set_blocking(pipe[1], False)
    os.set_blocking(pipe[0], False)
    writer = threading.Thread(target=write_all, args=(pipe[1], b"x" * 300_000))
    writer.start()
    received = 0
    while received < 300_000:
        select.select([pipe[0]], [], [], 5)
        received += len(os.read(pipe[0], 65536))
    writer.join(5)
    assert received == 300_000


def test_only_a_pipe_without_a_reader_has_lost_it(pipe: list[int]) -> None:
    """An open pipe and a terminal have their reader; a pipe closed at the other end has not."""
    leader, follower = os.openpty()
    tty.setraw(follower)
    assert not reader_has_gone(follower)
    assert not reader_has_gone(pipe[1])
    os.close(pipe[0])
    pipe[0] = -1
    assert reader_has_gone(pipe[1])
    assert not outlet._is_pipe(follower)
    os.close(leader)
    os.close(follower)
