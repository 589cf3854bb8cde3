"""Lines and a bar on a terminal that may be stopped, and in a pipe that may be full."""

import fcntl
import io
import os
import pty
import sys
import termios
import threading
import time
import tty
from collections.abc import Iterator

import pytest

from runner.view.console import LiveText
from runner.view.pen import MAX_LINES, Pen
from runner.view.terminal import flush, note, say

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the size of a pipe can be chosen on Linux only"
)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe of 4 kB that is read at the end, so that no thread stays stuck."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    yield reader, writer
    os.close(writer)
    os.close(reader)


def read_to_the_end(fd: int, pen: Pen) -> str:
    """Read until the pen has nothing left."""
    data = b""
    os.set_blocking(fd, False)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        done = pen.flush(0.02)
        try:
            data += os.read(fd, 65536)
        except BlockingIOError:
            if done:
                return data.decode()
    pytest.fail("it never ended")


def test_a_stopped_terminal_stops_only_the_writing() -> None:
    """While a terminal is stopped nobody waits; then lines come in order and the newest bar."""
    leader, follower = pty.openpty()
    tty.setraw(follower)
    pen = Pen(follower)
    pen.draw("1/9")
    assert pen.flush()
    assert os.read(leader, 100) == b"\r1/9"
    termios.tcflow(follower, termios.TCOOFF)
    began = time.monotonic()
    for number in range(2, 9):
        pen.draw(f"{number}/9")
    pen.line("one")
    pen.line("two")
    assert not pen.flush(0.05)
    assert not pen.flush()
    assert time.monotonic() - began < 1.0
    termios.tcflow(follower, termios.TCOON)
    shown = read_to_the_end(leader, pen)
    assert shown.endswith("\r   \rone\ntwo\n\r8/9")
    pen.draw("")
    assert pen.flush()
    assert os.read(leader, 100) == b"\r   \r"
    os.close(leader)
    os.close(follower)


def test_the_oldest_minor_lines_go_and_are_counted(pipe: tuple[int, int]) -> None:
    """Where nobody reads, no more than so many lines wait; what matters is never among the lost."""
    pen = Pen(pipe[1])
    pen.line("x" * 8000)
    assert not pen.flush(0.05)
    pen.line("this matters")
    for number in range(MAX_LINES + 500):
        pen.line(f"minor {number}", minor=True)
    lines = read_to_the_end(pipe[0], pen).splitlines()
    assert lines[0] == "x" * 8000
    assert lines[1] == "(501 lines left out here: stderr took no more.)"
    assert lines[2:4] == ["this matters", "minor 501"]
    assert lines[-1] == f"minor {MAX_LINES + 499}"
    assert len(lines) == MAX_LINES + 2


def test_lines_that_matter_are_bounded_too(pipe: tuple[int, int]) -> None:
    """Memory is flat whatever is told; the oldest goes."""
    pen = Pen(pipe[1])
    pen.line("x" * 8000)
    assert not pen.flush(0.05)
    for number in range(MAX_LINES + 1):
        pen.line(str(number))
    assert "\n(1 line left out here: stderr took no more.)\n1\n" in read_to_the_end(pipe[0], pen)


def test_a_slow_reader_is_waited_for(pipe: tuple[int, int]) -> None:
    """As long as anything is taken a flush goes on, however long it takes in all."""
    pen = Pen(pipe[1])
    taken: list[bytes] = []

    def read_slowly() -> None:
        while len(b"".join(taken)) < 40 * 1001:
            time.sleep(0.02)  # the reader's slowness is what is tested
            taken.append(os.read(pipe[0], 2000))

    reader = threading.Thread(target=read_slowly)
    reader.start()
    for _ in range(40):
        pen.line("x" * 1000)
    assert pen.flush(0.3)
    reader.join(10)


def test_who_gave_up_once_does_not_wait_again(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all that is said to a stuck stderr only the first is waited for."""
    with os.fdopen(os.dup(pipe[1]), "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        note("x" * 8000)
        assert not flush(0.05)
        began = time.monotonic()
        for _ in range(5):
            say("a line")
        assert time.monotonic() - began < 0.5
        assert os.read(pipe[0], 8001)
        while not flush(0.05):
            os.read(pipe[0], 8001)


def test_what_a_stream_cannot_show_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    """An encoding without a character gets its escape; a stream in memory is written directly."""
    reader, writer = os.pipe()
    pen = Pen(writer, "ascii")
    pen.line("caf\u00e9")
    assert pen.flush()
    assert os.read(reader, 100) == b"caf\\xe9\n"
    os.close(reader)
    os.close(writer)
    memory = io.StringIO()
    monkeypatch.setattr(sys, "stderr", memory)
    say("to memory")
    assert memory.getvalue() == "to memory\n"


@pytest.mark.anyio
async def test_text_and_notes_keep_their_order_on_one_terminal(pipe: tuple[int, int]) -> None:
    """Where both streams are the same pipe, notes stand where they were said; many are left out."""
    live = LiveText(many=False, terminal=False, stdout=pipe[1], notes=Pen(pipe[1]))
    live.note("first", minor=True)
    for number in range(5000):
        live.note(f"x{number}", minor=True)
    live.note("last")
    live.start()
    data = b""
    os.set_blocking(pipe[0], False)
    while not await live.close(0.01):
        data += os.read(pipe[0], 65536)
    lines = (data + os.read(pipe[0], 65536)).decode().splitlines()
    assert lines[:2] == ["first", "x0"]
    assert lines[-2:] == ["(904 lines left out here: stderr took no more.)", "last"]
