"""Results on their way to the file."""

import errno
import math
import os
import resource
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from anyio.abc import TaskStatus

from runner.errors import WriteError
from runner.models import Result
from runner.results import output as output_module
from runner.results import writer as writer_module
from runner.results.encode import encode
from runner.results.output import FileOutput, Output, StdoutOutput, open_output
from runner.results.paths import paths_for
from runner.results.writer import Place, write_results
from tests.results.build import record

pytestmark = pytest.mark.anyio
on_linux = pytest.mark.skipif(not Path("/dev/full").exists(), reason="macOS has no /dev/full")


class FakeOutput:
    """Keeps what is written, in memory."""

    end = None
    at_once = 65_536

    def __init__(self, *, broken_disk: bool = False) -> None:
        self.writes: list[bytes] = []
        self.syncs = 0
        self.closed = False
        self.synced = anyio.Event()
        self._broken_disk = broken_disk

    async def append(self, data: bytes) -> None:
        await anyio.lowlevel.checkpoint()
        self.writes.append(data)

    async def sync(self) -> None:
        if self._broken_disk:
            raise WriteError("broken disk")
        self.syncs += 1
        self.synced.set()

    async def aclose(self) -> None:
        self.closed = True


async def write(out: Output, results: list[Result]) -> list[Result]:
    """Hand over results and end the stream; return those said to be written."""
    written: list[Result] = []
    send, receive = anyio.create_memory_object_stream[Result](math.inf)
    for result in results:
        send.send_nowait(result)
    send.close()
    await write_results(receive, out, on_written=lambda result, _: written.append(result))
    return written


async def test_every_result_once_in_order(tmp_path: Path) -> None:
    """Every result handed over stands in the file once, in order, after what was there."""
    paths = paths_for(tmp_path / "o")
    paths.results.write_bytes(encode(record("earlier")))
    results = [record(f"{n}", text="x" * n) for n in range(500)]
    out = await open_output(paths)
    assert await write(out, results) == results
    expected = [record("earlier"), *results]
    assert paths.results.read_bytes() == b"".join(encode(result) for result in expected)
    assert out.end == paths.results.stat().st_size


async def test_no_result_no_line(tmp_path: Path) -> None:
    """A run without results leaves an empty file."""
    paths = paths_for(tmp_path / "o")
    assert await write(await open_output(paths), []) == []
    assert paths.results.read_bytes() == b""


async def test_few_and_small_writes() -> None:
    """What waits is joined, no more than may go at once; a longer line goes alone."""
    out = FakeOutput()
    results = [record(f"{n}", text="x" * 500) for n in range(400)]
    results.insert(100, record("long", text="y" * out.at_once))
    await write(out, results)
    assert b"".join(out.writes) == b"".join(encode(result) for result in results)
    assert len(out.writes) < 12
    assert all(write.endswith(b"\n") for write in out.writes)
    assert [write.count(b"\n") for write in out.writes if len(write) > out.at_once] == [1]
    assert out.closed


async def test_seen_while_the_run_goes_on(tmp_path: Path) -> None:
    """A result is in the file when it is said to be written, long before the stream ends."""
    paths = paths_for(tmp_path / "o")
    out = await open_output(paths)
    send, receive = anyio.create_memory_object_stream[Result](0)
    told = anyio.Event()
    async with anyio.create_task_group() as group, send:
        group.start_soon(lambda: write_results(receive, out, on_written=lambda *_: told.set()))
        with anyio.fail_after(5):
            for result in (record("a"), record("b")):
                await send.send(result)
                await told.wait()
                told = anyio.Event()
                assert paths.results.read_bytes().endswith(encode(result))


async def test_cancelled_run_writes_what_was_handed_over(tmp_path: Path) -> None:
    """A cancellation loses no result that the writer could still take."""
    paths = paths_for(tmp_path / "o")
    out = await open_output(paths)
    results = [record(f"{n}") for n in range(300)]
    send, receive = anyio.create_memory_object_stream[Result](math.inf)
    begun = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: write_results(receive, out, on_written=lambda *_: begun.set()))
        send.send_nowait(results[0])
        await begun.wait()
        for result in results[1:]:
            send.send_nowait(result)
        group.cancel_scope.cancel()
    send.close()
    assert paths.results.read_bytes() == b"".join(encode(result) for result in results)


async def test_synced_while_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written reaches the disk by itself, also when nothing more comes."""
    monkeypatch.setattr(writer_module, "SYNC_EVERY_S", 0.01)
    out = FakeOutput()
    send, receive = anyio.create_memory_object_stream[Result](1)
    async with anyio.create_task_group() as group, send:
        group.start_soon(write_results, receive, out)
        with anyio.fail_after(5):
            await out.synced.wait()


async def test_disk_that_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that refuses what it had accepted ends the run with one true cause."""
    monkeypatch.setattr(writer_module, "SYNC_EVERY_S", 0.01)
    out = FakeOutput(broken_disk=True)
    send, receive = anyio.create_memory_object_stream[Result](1)
    send.send_nowait(record("a"))
    with pytest.raises(WriteError, match="broken disk"), anyio.fail_after(5):
        await write_results(receive, out)
    send.close()
    assert out.writes == [encode(record("a"))]
    assert out.closed


async def test_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    """Where the disk takes only a part, the lines it took stay and the torn one is cut."""
    paths = paths_for(tmp_path / "o")
    results = [record(f"{n}", text="x" * 100) for n in range(10)]
    sizes = [len(encode(result)) for result in results]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    out = await open_output(paths)
    resource.setrlimit(resource.RLIMIT_FSIZE, (sum(sizes[:4]) + 17, limits[1]))
    try:
        with pytest.raises(WriteError, match="largest size") as failed:
            await write(out, results)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert paths.results.read_bytes() == b"".join(encode(result) for result in results[:4])
    assert out.end == paths.results.stat().st_size
    assert failed.value.exit_code == 74
    assert str(paths.results) in str(failed.value)


class Bearing:
    """Tries again so often, after `mend`."""

    def __init__(self, mend: Callable[[], None], *, times: int = 3) -> None:
        self.mend, self.times = mend, times
        self.errors: list[WriteError] = []

    async def write(self, attempt: Callable[[], Awaitable[None]]) -> None:
        for _ in range(self.times):
            try:
                await attempt()
            except WriteError as error:
                self.errors.append(error)
                self.mend()
            else:
                return
        await attempt()


async def test_only_what_was_refused_is_written_again(tmp_path: Path) -> None:
    """After a failure the rest follows, once, behind whole lines; each record has its place."""
    paths = paths_for(tmp_path / "o")
    results = [record(f"{n}", text="x" * 100) for n in range(10)]
    sizes = [len(encode(result)) for result in results]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    bounds = [sum(sizes[:7]) - 20, sum(sizes[:7]) - 1, soft]
    bearing = Bearing(
        lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bounds.pop(0), hard)), times=9
    )
    written: list[tuple[Result, Place | None]] = []
    send, receive = anyio.create_memory_object_stream[Result](math.inf)
    for result in results:
        send.send_nowait(result)
    send.close()
    out = await open_output(paths)
    resource.setrlimit(resource.RLIMIT_FSIZE, (sum(sizes[:4]) + 17, hard))
    try:
        await write_results(
            receive, out, on_written=lambda *pair: written.append(pair), patience=bearing
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [error.lines_written for error in bearing.errors] == [4, 2, 0]
    assert paths.results.read_bytes() == b"".join(encode(result) for result in results)
    assert [result for result, _ in written] == results
    starts = [sum(sizes[:number]) for number in range(10)]
    assert [place for _, place in written] == [
        Place(start, size - 1) for start, size in zip(starts, sizes, strict=True)
    ]


async def test_a_torn_line_that_could_not_be_cut_is_cut_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written behind half a line, even where cutting it off has failed at first."""
    paths = paths_for(tmp_path / "o")
    lines = encode(record("a")), encode(record("b"))
    out = await open_output(paths)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(lines[0]) + 9, hard))
    cut = out._cut

    async def fail() -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(out, "_cut", fail)
    try:
        with pytest.raises(WriteError, match="largest size"):
            await out.append(b"".join(lines))
        with pytest.raises(WriteError, match="broken"):
            await out.append(lines[1])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert paths.results.stat().st_size == len(lines[0]) + 9
    monkeypatch.setattr(out, "_cut", cut)
    await out.append(lines[1])
    assert paths.results.read_bytes() == b"".join(lines)
    await out.aclose()


async def test_lost_by_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that the disk has lost after it took them are told of at once: no waiting helps."""
    out = await open_output(paths_for(tmp_path / "o"))
    await out.append(encode(record("a")))

    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(output_module, "sync_data", broken)
        with pytest.raises(WriteError, match="Input/output error") as failed:
            await out.sync()
    assert failed.value.final
    await out.aclose()


@pytest.mark.parametrize("removed", [True, False])
async def test_only_a_file_that_is_gone_for_good_is_not_waited_for(
    tmp_path: Path, removed: bool
) -> None:
    """A moved file may come back, and is content then; a removed one never does."""
    paths = paths_for(tmp_path / "o")
    out = await open_output(paths)
    await out.append(encode(record("a")))
    if removed:
        paths.results.unlink()
    else:
        paths.results.rename(tmp_path / "elsewhere")
    for _ in range(2):
        with pytest.raises(WriteError) as failed:
            await out.sync()
        assert failed.value.final is removed
    if removed:
        with pytest.raises(WriteError, match="gone with it"):
            await out.aclose()
    else:
        (tmp_path / "elsewhere").rename(paths.results)
        await out.sync()
        await out.aclose()


@on_linux
async def test_no_space_left(tmp_path: Path) -> None:
    """A full disk is told in words, also where nothing can be cut."""
    link = tmp_path / "o"
    link.symlink_to("/dev/full")
    with pytest.raises(WriteError):
        await write(await open_output(paths_for(link)), [record("a")])


async def test_cannot_open(tmp_path: Path) -> None:
    """A results file that cannot be opened is told in words."""
    with pytest.raises(WriteError, match="cannot write"):
        await open_output(paths_for(tmp_path / "no" / "o"))


async def test_stdout() -> None:
    """`-o -` writes the records and leaves stdout open."""
    read, end = os.pipe()
    await write(StdoutOutput(end), [record("a"), record("b")])
    os.close(end)
    with os.fdopen(read, "rb") as file:
        assert file.read() == encode(record("a")) + encode(record("b"))


async def test_closed_pipe() -> None:
    """A reader that has gone is told as such, for an exit without a word."""
    read, end = os.pipe()
    os.close(read)
    with pytest.raises(BrokenPipeError):
        await write(StdoutOutput(end), [record("a")])
    os.close(end)


@on_linux
async def test_full_stdout() -> None:
    """Stdout on a full disk is an error in words."""
    fd = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(WriteError, match="no space left"):
        await write(StdoutOutput(fd), [record("a")])
    os.close(fd)


async def test_slow_reader() -> None:
    """A pipe that is full and does not block is waited for, and nothing is lost."""
    read, end = os.pipe()
    os.set_blocking(end, False)
    results = [record(f"{n}", text="x" * 50_000) for n in range(8)]
    got = b""

    def drain() -> None:
        nonlocal got
        while block := os.read(read, 65536):
            got += block

    async def fill(*, task_status: TaskStatus[None]) -> None:
        task_status.started()
        await write(StdoutOutput(end), results)
        os.close(end)

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            await group.start(fill)
            await anyio.wait_all_tasks_blocked()
            await anyio.to_thread.run_sync(drain)
    os.close(read)
    assert got == b"".join(encode(result) for result in results)


async def test_stdout_that_was_never_open(tmp_path: Path) -> None:
    """A stdout that takes nothing at all is not waited for."""
    (tmp_path / "f").touch()
    with (tmp_path / "f").open("rb") as file, pytest.raises(WriteError) as failed:
        await write(StdoutOutput(file.fileno()), [record("a")])
    assert failed.value.final


async def test_stdout_that_takes_a_part(tmp_path: Path) -> None:
    """What stdout refused in the middle of a line goes on there: nothing is written twice."""
    path = tmp_path / "stdout"
    results = [record(f"{n}") for n in range(5)]
    data = b"".join(encode(result) for result in results)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    bounds = [len(data) // 2 + 20, len(data) // 2 + 25, soft]
    bearing = Bearing(
        lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bounds.pop(0), hard)), times=9
    )
    send, receive = anyio.create_memory_object_stream[Result](math.inf)
    for result in results:
        send.send_nowait(result)
    send.close()
    with path.open("wb") as file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(data) // 2, hard))
        try:
            await write_results(receive, StdoutOutput(file.fileno()), patience=bearing)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(bearing.errors) == 3
    assert path.read_bytes() == data


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_file_that_is_gone_takes_no_more_answers(tmp_path: Path, replaced: bool) -> None:
    """Moved away or removed while open, the file fails the next sync: what it took is told of."""
    paths = paths_for(tmp_path / "folder" / "o")
    paths.results.parent.mkdir()
    out = await open_output(paths)
    await out.append(encode(record("a")))
    await out.sync()
    paths.results.parent.rename(tmp_path / "elsewhere")
    if replaced:
        paths.results.parent.mkdir()
        paths.results.touch()
    await out.append(encode(record("b")))
    with pytest.raises(WriteError, match="was moved"):
        await out.sync()
    with pytest.raises(WriteError, match="was moved"):
        await out.aclose()
    assert (tmp_path / "elsewhere" / "o").read_bytes() == encode(record("a")) + encode(record("b"))


async def test_every_record_is_said_to_stand_where_it_does(tmp_path: Path) -> None:
    """The place given for a record is where a reader finds its line, without the newline."""
    places: list[Place | None] = []
    paths = paths_for(tmp_path / "out.jsonl")
    paths.results.write_bytes(b"{}\n")
    send, receive = anyio.create_memory_object_stream[Result](math.inf)
    results = [record("a"), record("b", text="x" * FileOutput.at_once), record("c")]
    for result in results:
        send.send_nowait(result)
    send.close()
    await write_results(
        receive, await open_output(paths), on_written=lambda _, place: places.append(place)
    )
    data = paths.results.read_bytes()
    found = [data[place.offset :][: place.length + 1] for place in places if place is not None]
    assert found == [encode(result) for result in results]
