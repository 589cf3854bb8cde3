"""The progress line, on a real terminal and without one."""

import io
import os
import pty
from collections.abc import Iterator
from typing import TextIO

import pytest
from anyio import create_task_group, wait_all_tasks_blocked

from runner.events import AttemptStarted, JobFinished, JobLeft, JobQueued, RetryScheduled
from runner.view import progress
from runner.view.pace_text import Rate, facts, fitted, rate_text
from runner.view.progress import Progress
from runner.view.tally import Tally
from runner.view.terminal import pen_for
from runner.view.verbose import Verbose
from tests.view.support import FakeClock, answered, failed, job, refusal


class Terminal:
    """A pseudo-terminal of 80 columns whose content can be read."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self._leader, follower = pty.openpty()
        import fcntl
        import struct
        import termios

        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.stream: TextIO = os.fdopen(follower, "w", encoding=encoding)

    def read(self) -> str:
        """What has been written since the last look."""
        pen = pen_for(self.stream)
        assert pen is not None
        assert pen.flush()
        os.set_blocking(self._leader, False)
        data = b""
        try:
            while more := os.read(self._leader, 65536):
                data += more
        except BlockingIOError:
            pass
        return data.decode()

    def close(self) -> None:
        """Give both ends back."""
        self.read()
        self.stream.close()
        os.close(self._leader)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A terminal that reads UTF-8."""
    made = Terminal()
    yield made
    made.close()


def half_done() -> Tally:
    """3,104 of 5,000, two of them failed."""
    tally = Tally(total=5000, succeeded=3102)
    tally.emit(JobFinished(failed("x")))
    tally.emit(JobFinished(failed("y")))
    return tally


def test_the_bar_shows_counts_failures_and_what_is_out(terminal: Terminal) -> None:
    """The line on a terminal is that of the guide, and it goes when the run ends."""
    tally, clock = half_done(), FakeClock()
    with Progress(tally, clock, pace=lambda: "-c", stream=terminal.stream) as shown:
        for number in range(64):
            tally.emit(AttemptStarted(job(str(number)), 1))
        terminal.read()
        clock.seconds = 2.0
        tally.succeeded += 82
        shown.tick()
        line = terminal.read().split("\r")[-1]
        assert line == (" 64% ██████▎     3,186/5,000  2 failed  64 at once (-c)  41/s  45s left")
    assert terminal.read().endswith("\r")


def test_the_bar_is_redrawn_at_most_ten_times_a_second(terminal: Terminal) -> None:
    """Events within a tenth of a second draw nothing new."""
    tally, clock = half_done(), FakeClock()
    with Progress(tally, clock, stream=terminal.stream) as shown:
        terminal.read()
        for _ in range(5):
            shown.emit(JobQueued(job("a")))
        assert terminal.read() == ""
        clock.seconds = 0.11
        shown.emit(JobFinished(answered("a")))
        assert terminal.read().count("\r") == 1


def test_lines_are_written_above_the_bar(terminal: Terminal) -> None:
    """A message does not run into the bar, which stands below it afterwards."""
    with Progress(half_done(), FakeClock(), stream=terminal.stream) as shown:
        terminal.read()
        shown.write("a message")
        before, after = terminal.read().split("a message\r\n")
        assert before.strip() == ""
        assert "3,104/5,000" in after


def test_without_a_total_only_counts_are_shown(terminal: Terminal) -> None:
    """What comes from a pipe has no share done and no end in sight."""
    tally = Tally(succeeded=12)
    with Progress(tally, FakeClock(), stream=terminal.stream):
        assert terminal.read().split("\r")[-1].rstrip() == "12 done  0 at once"


def test_a_terminal_without_unicode_gets_an_ascii_bar() -> None:
    """No character is written that the terminal's encoding lacks."""
    made = Terminal("ascii")
    with Progress(half_done(), FakeClock(), stream=made.stream):
        assert made.read().split("\r")[-1].startswith(" 62% ######")
    made.close()


def test_without_a_terminal_a_plain_line_tells_the_same() -> None:
    """In a log the facts stand after the time, and no bar is drawn."""
    tally, clock, stream = half_done(), FakeClock(), io.StringIO()
    with Progress(tally, clock, pace=lambda: "-c", stream=stream) as shown:
        clock.seconds = 30.0
        tally.succeeded += 1230
        shown.emit(JobFinished(answered("a")))
        shown.tick()
        shown.write("a message")
    assert stream.getvalue() == (
        "02:15:00Z 4,334/5,000, 2 failed, 0 at once (-c), 41/s, 17s left\na message\n"
    )


@pytest.mark.parametrize("on_terminal", [True, False])
def test_quiet_shows_nothing_but_what_is_written(on_terminal: bool, terminal: Terminal) -> None:
    """With `-q` neither bar nor plain line appears; a message still does."""
    stream = terminal.stream if on_terminal else io.StringIO()
    with Progress(half_done(), FakeClock(), quiet=True, stream=stream) as shown:
        shown.tick()
        shown.emit(JobFinished(answered("a")))
        shown.write("a message")
    text = terminal.read() if isinstance(stream, io.TextIOWrapper) else stream.getvalue()  # type: ignore[attr-defined] # a StringIO
    assert text.split() == ["a", "message"]


@pytest.mark.anyio
async def test_the_ticker_writes_until_it_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task keeps the plain lines coming; with `-q` it ends at once."""
    monkeypatch.setattr(progress, "PLAIN_S", 0.001)
    stream = io.StringIO()
    shown = Progress(half_done(), FakeClock(), stream=stream)
    async with create_task_group() as group:
        group.start_soon(shown.run_ticker)
        while stream.getvalue().count("\n") < 2:
            await wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    await Progress(half_done(), FakeClock(), quiet=True, stream=stream).run_ticker()


def test_the_rate_is_that_of_the_last_half_minute() -> None:
    """An early burst is forgotten; before a second has passed no rate is known."""
    rate = Rate()
    assert rate.per_second(0.0, 0) is None
    rate.note(0.0, 0)
    assert rate.per_second(0.9, 500) is None
    for second in range(1, 61):
        rate.note(float(second), 1000 + second)
    assert rate.per_second(60.0, 1060) == 1.0


@pytest.mark.parametrize(
    ("per_second", "text"),
    [
        (1234.4, "1,234/s"),
        (41.2, "41/s"),
        (9.96, "10/s"),
        (2.54, "2.5/s"),
        (0.2, "12/min"),
        (0.01, "36/h"),
    ],
)
def test_rates_are_written_in_a_readable_unit(per_second: float, text: str) -> None:
    """Fast runs count by the second, slow ones by the minute or hour."""
    assert rate_text(per_second) == text


def test_what_is_not_known_is_left_out() -> None:
    """Without a rate, or with one of 0, neither rate nor time left is claimed."""
    assert facts(Tally(total=5), None, None) == ["0/5", "0 at once"]
    assert facts(Tally(total=5), 0.0, None) == ["0/5", "0 at once"]
    assert facts(Tally(total=5, succeeded=5), 2.0, None) == ["5/5", "0 at once", "2.0/s"]
    assert facts(Tally(), 2.0, None) == ["0 done", "0 at once", "2.0/s"]


@pytest.mark.parametrize(
    ("room", "text"),
    [
        (80, "3/5  1 failed  2 at once  41/s  46s left"),
        (35, "3/5  1 failed  41/s  46s left"),
        (24, "3/5  1 failed  46s left"),
        (14, "3/5  46s left"),
        (5, "3/5"),
        (2, "3/"),
        (-4, ""),
    ],
)
def test_the_line_is_never_wider_than_the_terminal(room: int, text: str) -> None:
    """What matters least is dropped first."""
    assert fitted(["3/5", "1 failed", "2 at once", "41/s", "46s left"], room) == text


def test_verbose_tells_of_every_retry() -> None:
    """Time, job, cause, wait and which attempt comes next; refusals are no attempts."""
    lines: list[str] = []
    sink = Verbose(lines.append, FakeClock(1.0), 5)
    asked = job("a7")
    sink.emit(JobQueued(asked))
    sink.emit(AttemptStarted(asked, 1))
    sink.emit(RetryScheduled(asked, refusal(), 2.1))
    sink.emit(AttemptStarted(asked, 2))
    sink.emit(RetryScheduled(asked, refusal("rate_limit", 429), 12.0))
    sink.emit(AttemptStarted(asked, 3))
    sink.emit(RetryScheduled(asked, refusal("connection", None), 4.0))
    sink.emit(JobFinished(answered("a7")))
    sink.emit(JobLeft(job("b")))
    assert lines == [
        "02:14:31Z a7: 503 from openai, again in 2.1s (attempt 2 of 5)",
        "02:14:31Z a7: 429 from openai, again in 12s",
        "02:14:31Z a7: connection to openai failed, again in 4s (attempt 3 of 5)",
    ]


def test_verbose_lines_stay_within_80_columns() -> None:
    """A long id is cut, not wrapped; an answer with status 200 is not told as a refusal."""
    lines: list[str] = []
    error = refusal("bad_response", 200)
    Verbose(lines.append, FakeClock(), 5).emit(RetryScheduled(job("x" * 60), error, 2.0))
    assert len(lines[0]) == 80
    assert lines[0].endswith("xxx...: unusable answer from openai, again in 2s (attempt 2 of 5)")


def test_a_stderr_that_is_gone_stops_nothing() -> None:
    """A closed terminal is drawn on no more, and the run goes on."""
    leader, follower = pty.openpty()
    with os.fdopen(follower, "w") as stream:
        pen = pen_for(stream)
        assert pen is not None
        with Progress(half_done(), FakeClock(), stream=stream) as shown:
            os.close(leader)
            shown.write("a note")
            shown.tick()
        assert pen.flush()
