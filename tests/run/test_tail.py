"""Promises of `runner tail`, in process: what is shown, said, recorded, and with which code."""

import fcntl
import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from runner.errors import ExitCode, UsageError, WriteError
from runner.run.tail import run_tail
from runner.settings import Ask, Deadlines, TailSettings
from tests.processes.running import lines_of, wait_until
from tests.run.commands import config_for, records
from tests.run.screens import on_screen, standing_in, terminal
from tests.simulated import (
    Endpoints,
    reset_stats,
    scenario_file,
    simulator_in_thread,
    stats,
    wait_for_stats,
)

SCENARIO = """
[answer]
min_tokens = 20
mean_tokens = 20
max_tokens = 20
[speed]
first_token_s = 0.005
jitter = 0
tokens_per_second = 5000
[[rules]]
match = "flaky"
attempts = 1
fault = { kind = "overloaded", retry_after_s = 0.01 }
[[rules]]
match = "once"
attempts = 1
fault = { kind = "truncate", after_tokens = 3 }
[[rules]]
match = "halved"
fault = { kind = "reset", after_tokens = 3 }
[[rules]]
match = "refused"
fault = { kind = "status", status = 400, message = "prompt is too long" }
[[rules]]
match = "poor"
fault = { kind = "quota" }
[[rules]]
match = "silent"
fault = { kind = "stall" }
[[rules]]
match = "long"
reply = { tokens = 2000 }
[[rules]]
match = "slow"
reply = { tokens = 500 }
speed = { first_token_s = 0.005, jitter = 0, tokens_per_second = 50 }
"""
APIS = ("here/m", "here-responses/m", "here-anthropic/m")


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator whose faults are chosen by words of the prompt."""
    scenario = scenario_file(tmp_path_factory.mktemp("scenario"), SCENARIO)
    with simulator_in_thread(scenario) as found:
        yield found


def ask(endpoints: Endpoints, prompt: str, model: str = "here/m", **changes: Any) -> ExitCode:
    """Ask one question to its end; changes are those of `TailSettings`, or of `Ask`."""
    asked = {name: changes.pop(name) for name in list(changes) if name in Ask.__slots__}
    wanted = TailSettings(prompt=prompt, ask=Ask(model=model, **asked), **changes)
    return run_tail(wanted, config_for(endpoints))


def kept(folder: Path) -> dict[str, Any]:
    """Read the one record that was kept."""
    found = records(folder / "kept.jsonl")
    assert len(found) == 1
    return found[0]


def test_an_answer_is_shown_and_kept(
    endpoints: Endpoints, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Stdout is the text of the record, stderr is silent where nobody watches, the code is 0."""
    assert ask(endpoints, "one", output=tmp_path / "kept.jsonl", max_tokens=15) is ExitCode.OK
    shown = capfd.readouterr()
    record = kept(tmp_path)
    assert (shown.out, shown.err) == (record["text"], "")
    assert (record["status"], record["finish_reason"]) == ("succeeded", "length")
    assert record["usage"]["output_tokens"] == 15


@pytest.mark.parametrize("model", APIS)
def test_a_person_is_told_how_it_went(endpoints: Endpoints, model: str) -> None:
    """On a terminal the answer ends its line, and a dim line sums it up."""
    with terminal() as person:
        assert ask(endpoints, "one", model) is ExitCode.OK
        text, closing = on_screen(person).removesuffix("\n").split("\n")
    assert text.endswith(".")
    assert closing.startswith("\x1b[2m-- 20 tokens, first after ")
    assert closing.endswith(f"/s, {model}\x1b[22m")


def test_quiet_drops_the_closing_line(endpoints: Endpoints) -> None:
    """With -q there is the answer and nothing else."""
    with terminal() as person:
        assert ask(endpoints, "one", quiet=True) is ExitCode.OK
        assert on_screen(person).count("\n") == 1


def test_a_retry_before_any_text_is_told_to_a_person(endpoints: Endpoints, tmp_path: Path) -> None:
    """An attempt that fails before its first token is made again, said so, and recorded."""
    reset_stats(endpoints)
    with terminal() as person:
        assert ask(endpoints, "flaky", output=tmp_path / "kept.jsonl") is ExitCode.OK
        first = on_screen(person).split("\n")[0]
    assert first.startswith("-- ")
    assert "asking again in" in first
    outcomes = [attempt["outcome"] for attempt in kept(tmp_path)["attempts"]]
    assert outcomes == ["overloaded", "ok"]


def test_a_retry_is_silent_in_a_pipe(
    endpoints: Endpoints, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where nobody watches, a retry that worked is not worth a word."""
    reset_stats(endpoints)
    assert ask(endpoints, "flaky") is ExitCode.OK
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("model", APIS)
def test_an_answer_that_breaks_off_is_kept_as_it_was_shown(
    endpoints: Endpoints, tmp_path: Path, capfd: pytest.CaptureFixture[str], model: str
) -> None:
    """A cut answer is not asked again by itself: shown, said, recorded as interrupted, code 1."""
    reset_stats(endpoints)
    code = ask(endpoints, "halved", model, output=tmp_path / "kept.jsonl")
    assert code is ExitCode.SOME_UNANSWERED
    shown, record = capfd.readouterr(), kept(tmp_path)
    assert shown.out == record["text"] != ""
    assert shown.err.startswith("-- broken off after ")
    assert "The text above is all." in " ".join(shown.err.split())
    assert (record["status"], record["interruption"]["reason"]) == ("interrupted", "connection")
    assert stats(endpoints)["requests"] == 1


def test_a_person_can_have_it_asked_again(endpoints: Endpoints, tmp_path: Path) -> None:
    """After Return the same question is asked once more, and both answers are recorded."""
    reset_stats(endpoints)
    with terminal() as person:
        os.write(person, b"\n")
        assert ask(endpoints, "once", output=tmp_path / "kept.jsonl") is ExitCode.OK
        assert "Ask again? [Y/n]" in on_screen(person)
    first, second = records(tmp_path / "kept.jsonl")
    assert (first["status"], second["status"]) == ("interrupted", "succeeded")
    assert first["id"] != second["id"]
    assert first["digest"] == second["digest"]
    assert list(stats(endpoints)["by_hash"].values()) == [2]


def test_no_means_no(endpoints: Endpoints) -> None:
    """Whoever declines ends with code 1, and nothing more is sent."""
    reset_stats(endpoints)
    with terminal() as person:
        os.write(person, b"n\n")
        assert ask(endpoints, "halved") is ExitCode.SOME_UNANSWERED
    assert stats(endpoints)["requests"] == 1


def test_a_refused_question_is_an_error(
    endpoints: Endpoints, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A 400 is asked once, said on stderr in the provider's words, recorded as failed, code 1."""
    reset_stats(endpoints)
    code = ask(endpoints, "refused", output=tmp_path / "kept.jsonl")
    assert code is ExitCode.SOME_UNANSWERED
    shown, record = capfd.readouterr(), kept(tmp_path)
    assert (shown.out, shown.err) == ("", "Error: here: prompt is too long\n")
    assert (record["status"], record["error"]["kind"]) == ("failed", "invalid_request")
    assert stats(endpoints)["requests"] == 1


@pytest.mark.parametrize("model", APIS)
def test_a_refused_account_is_code_4(
    endpoints: Endpoints, tmp_path: Path, capfd: pytest.CaptureFixture[str], model: str
) -> None:
    """Without credit the question is not recorded as asked, and the code says whose fault it is."""
    code = ask(endpoints, "poor", model, output=tmp_path / "kept.jsonl")
    assert code is ExitCode.ACCOUNT
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"Error: {model.removesuffix('/m')}: ")
    assert records(tmp_path / "kept.jsonl") == []


@pytest.mark.parametrize(
    ("number", "code", "reason"),
    [
        (signal.SIGINT, ExitCode.SIGINT, "sigint"),
        (signal.SIGTERM, ExitCode.SIGTERM, "sigterm"),
        (signal.SIGHUP, ExitCode.SIGHUP, "sighup"),
    ],
)
def test_a_signal_stops_it_at_once(
    endpoints: Endpoints,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    number: signal.Signals,
    code: ExitCode,
    reason: str,
) -> None:
    """The record holds what was shown, the server is let go, handlers are as before."""
    reset_stats(endpoints)
    before = signal.getsignal(number)
    with sending(number, when=lambda: os.fstat(1).st_size > 0):
        began = time.monotonic()
        assert ask(endpoints, "slow", output=tmp_path / "kept.jsonl") is code
        assert time.monotonic() - began < 5  # of the ten that the answer would take
    shown, record = capfd.readouterr(), kept(tmp_path)
    assert (shown.out, shown.err) == (record["text"], "")
    assert (record["status"], record["interruption"]["reason"]) == ("interrupted", reason)
    assert wait_for_stats(endpoints, lambda seen: seen["disconnects"] == 1)["in_flight"] == 0
    assert signal.getsignal(number) == before


def test_a_stop_before_the_first_token_has_no_text(endpoints: Endpoints, tmp_path: Path) -> None:
    """A question that was sent is recorded even though nothing came."""
    reset_stats(endpoints)
    with sending(signal.SIGINT, when=lambda: stats(endpoints)["in_flight"] == 1):
        assert ask(endpoints, "silent", output=tmp_path / "kept.jsonl") is ExitCode.SIGINT
    record = kept(tmp_path)
    assert (record["status"], record["text"], record["usage"]) == ("interrupted", None, None)


@contextmanager
def sending(number: signal.Signals, *, when: Callable[[], bool]) -> Iterator[None]:
    """Send this process a signal as soon as something is so; the run must be on by then."""

    def send() -> None:
        wait_until(when)
        os.kill(os.getpid(), number)

    # Should the run be over already, the signal must not end the tests.
    before = signal.signal(number, lambda *_: None)
    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        signal.signal(number, before)


@pytest.mark.parametrize("model", APIS)
def test_a_closed_pipe_stops_it_silently(
    endpoints: Endpoints, tmp_path: Path, capfd: pytest.CaptureFixture[str], model: str
) -> None:
    """Whoever stops reading stops the answer: 141, no word, a record that says why."""
    reading, writing = os.pipe()
    os.close(reading)
    with standing_in(writing, for_=1):
        os.close(writing)
        code = ask(endpoints, "slow", model, output=tmp_path / "kept.jsonl")
    assert code is ExitCode.CLOSED_PIPE
    assert capfd.readouterr() == ("", "")
    assert kept(tmp_path)["interruption"]["reason"] == "closed_pipe"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is full")
def test_text_that_cannot_be_written_is_code_74(endpoints: Endpoints, tmp_path: Path) -> None:
    """A full disk under stdout ends the answer and is said; the record is kept all the same."""
    with (
        Path("/dev/full").open("wb") as full,
        standing_in(full.fileno(), for_=1),
        pytest.raises(WriteError, match="stdout takes no more text: No space left on device"),
    ):
        ask(endpoints, "slow", output=tmp_path / "kept.jsonl")
    assert kept(tmp_path)["status"] == "interrupted"


def test_a_record_that_cannot_be_written_is_code_74(endpoints: Endpoints, tmp_path: Path) -> None:
    """A full disk under the record is said, and the records before it are undamaged."""
    path = tmp_path / "kept.jsonl"
    with drinking():
        assert ask(endpoints, "one", output=path) is ExitCode.OK
    before = path.read_bytes()
    with drinking(), full_disk_beyond(len(before) + 200), pytest.raises(WriteError) as failed:
        ask(endpoints, "two", output=path)
    assert failed.value.exit_code is ExitCode.CANNOT_WRITE
    assert path.read_bytes().startswith(before)
    assert ask(endpoints, "three", output=path) is ExitCode.OK
    assert [record["status"] for record in records(path)] == ["succeeded", "succeeded"]


@contextmanager
def full_disk_beyond(size: int) -> Iterator[None]:
    """Let no file grow beyond a size for a while."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def drinking(*, when: Callable[[], bool] = lambda: True) -> Iterator[list[bytes]]:
    """Let stdout be a small pipe that somebody empties, from the moment when something is so."""
    reading, writing = os.pipe()
    with suppress(AttributeError):  # macOS has no such switch, and small pipes anyway
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    pieces: list[bytes] = []

    def read() -> None:
        wait_until(when)
        while piece := os.read(reading, 65536):
            pieces.append(piece)

    thread = threading.Thread(target=read)
    thread.start()
    with standing_in(writing, for_=1):
        os.close(writing)
        yield pieces
    thread.join()
    os.close(reading)


def test_a_slow_reader_gets_the_whole_answer(endpoints: Endpoints, tmp_path: Path) -> None:
    """An answer that is complete waits for its reader, however long that takes."""
    path = tmp_path / "kept.jsonl"
    patience = patch("runner.run.answering.STOPPED_CLOSE_S", 0.001)
    with patience, drinking(when=lambda: lines_of(path) == 1) as pieces:
        assert ask(endpoints, "long", output=path) is ExitCode.OK
    text = kept(tmp_path)["text"]
    assert len(text) > 8192
    assert b"".join(pieces).decode() == text


def test_a_time_for_one_attempt_holds(
    endpoints: Endpoints, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """An answer that takes longer than --attempt-timeout is cut, said so, and kept in part."""
    deadlines = Deadlines(attempt_s=0.5)
    code = ask(endpoints, "slow", output=tmp_path / "kept.jsonl", deadlines=deadlines)
    assert code is ExitCode.SOME_UNANSWERED
    assert "the time for one attempt was over" in " ".join(capfd.readouterr().err.split())
    assert kept(tmp_path)["interruption"]["reason"] == "deadline"


@pytest.mark.parametrize(
    ("asked", "prompt"), [({"defaults": {"messages": []}}, "one"), ({}, "one " * 1000)]
)
def test_what_does_not_fit_is_refused(
    endpoints: Endpoints, asked: dict[str, Any], prompt: str
) -> None:
    """A parameter that no request takes, or a prompt beyond all bounds, is never sent."""
    reset_stats(endpoints)
    with patch("runner.run.turns.MAX_LINE_BYTES", 1000), pytest.raises(UsageError):
        ask(endpoints, prompt, **asked)
    assert stats(endpoints)["requests"] == 0
