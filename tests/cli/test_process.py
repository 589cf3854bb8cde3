"""The real process: exit codes, signals while it starts, closed pipes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

RUNNER = [sys.executable, "-m", "runner"]


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the real process to its end."""
    return subprocess.run(
        [*RUNNER, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )


def test_version_and_help_are_0_on_stdout() -> None:
    """What was asked for goes to stdout."""
    assert call("--version").stdout.startswith("runner ")
    assert (call("--help").returncode, call("--help").stderr) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["batch"],
        ["batch", "nowhere.jsonl", "-m", "sim/steady"],
        ["check", "nowhere.jsonl", "-m", "sim/steady"],
        ["tail", "hi", "-o", "-"],
        ["tail", "-m", "sim/steady"],
        ["--config", "nowhere.toml", "providers"],
        ["frobnicate"],
    ],
)
def test_bad_usage_is_2_and_told_on_stderr(arguments: list[str]) -> None:
    """Nothing on stdout, one error in words on stderr."""
    done = call(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_before_the_run_ends_the_process_silently(number: int, code: int) -> None:
    """While stdin is awaited nothing was sent: the process just ends, with the signal's code."""
    with subprocess.Popen(
        [*RUNNER, "tail", "-m", "sim/steady"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert "waiting for stdin" in process.stderr.readline()
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (code, "", "")


@pytest.mark.parametrize("arguments", [["--help"], ["tail", "-m", "sim/steady", "hi"]])
@pytest.mark.parametrize("delay_ms", [0, 10, 30, 60, 100, 150, 200, 300])
def test_ctrl_c_while_starting_shows_no_stack(arguments: list[str], delay_ms: int) -> None:
    """From our first line on, SIGINT at any moment ends the process without a traceback."""
    code = (
        "import os, sys; from runner.cli.early import end_on_signals; end_on_signals();"
        "os.write(2, b'\\n'); from runner.__main__ import main; sys.exit(main())"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.read(1) == b"\n"
        time.sleep(delay_ms / 1000)  # the moment is what is tested
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=20)[1]
    assert b"Traceback" not in err
    assert b"Error" not in err
    # The last is Python's own, silent, once it is taking itself down.
    assert process.returncode in (0, 130, -signal.SIGINT)


def test_an_ignored_signal_stays_ignored() -> None:
    """Under nohup a closed terminal ends nothing."""
    code = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN);"
        "from runner.cli.early import end_on_signals; end_on_signals();"
        "print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN,"
        " signal.getsignal(signal.SIGINT) == signal.SIG_IGN)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True False\n"


def test_a_closed_pipe_is_141_and_silent() -> None:
    """`runner ... | head -0` neither complains nor succeeds."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*RUNNER, "providers", "--json"],
        stdout=writer,
        stderr=subprocess.PIPE,
        restore_signals=False,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device is Linux's")
def test_a_full_disk_behind_stdout_is_told() -> None:
    """What could not be written to stdout is an error, once and in words."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*RUNNER, "providers", "--json"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 74
    assert done.stderr == b"Error: cannot write to standard output: No space left on device.\n"
