"""Run `runner`, or its simulator, forked from a process that has imported it: a tenth of a start.

The process, its descriptors, environment and folder are as real as any; what a start imports is not
tried by it. Who tests the start, or what Python itself reads from the environment, takes a new one.
"""

import fcntl
import multiprocessing
import os
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.processes.imported"])
_OF_PYTHON = ("PYTHON", "LC_", "TZ")
"""What is read before a program begins, or by what it imports."""


def may_fork(env: Mapping[str, str]) -> bool:
    """Whether a fork comes to the same as a new process."""
    return not any(name.startswith(_OF_PYTHON) for name in env)


def run_forked(
    folder: Path,
    arguments: Sequence[str],
    env: Mapping[str, str],
    stdin: str | None,
    patience_s: float,
) -> subprocess.CompletedProcess[str]:
    """Run to the end, like subprocess.run; raises subprocess.TimeoutExpired."""
    asked, said, told = (_CONTEXT.Pipe(duplex=False) for _ in range(3))
    child = _CONTEXT.Process(
        target=_child, args=(str(folder), list(arguments), dict(env), asked[0], said[1], told[1])
    )
    child.start()
    for end in (asked[0], said[1], told[1]):
        end.close()
    feeder = threading.Thread(target=_feed, args=(asked[1], (stdin or "").encode()), daemon=True)
    feeder.start()
    try:
        out, err = _read_both(said[0], told[0], time.monotonic() + patience_s)
        child.join(patience_s)
    except TimeoutError:
        child.kill()
        raise subprocess.TimeoutExpired(list(arguments), patience_s) from None
    assert child.exitcode is not None
    return subprocess.CompletedProcess(list(arguments), child.exitcode, out.decode(), err.decode())


@dataclass(frozen=True, slots=True)
class Forked:
    """A process that was forked, with what is used of subprocess.Popen."""

    _process: ForkServerProcess

    def kill(self) -> None:
        """End it, if it has not ended."""
        self._process.kill()

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def poll(self) -> int | None:
        """Give the exit code, or None while it runs."""
        return self._process.exitcode

    def wait(self, patience_s: float) -> int:
        """Give the exit code. Raises TimeoutError."""
        self._process.join(patience_s)
        code = self.poll()
        if code is None:
            raise TimeoutError
        return code


def fork_on_terminal(
    folder: Path, arguments: Sequence[str], env: Mapping[str, str], terminal: int
) -> Forked:
    """Run in a session of its own, whose terminal this is."""
    with Connection(os.dup(terminal)) as end:
        child = _CONTEXT.Process(
            target=_on_terminal, args=(str(folder), list(arguments), dict(env), end)
        )
        child.start()
    return Forked(child)


@contextmanager
def simulator_forked(scenario: str, patience_s: float) -> Iterator[bytes]:
    """Run the simulator until the block ends; gives the line that it prints when it is ready."""
    asked, said = (_CONTEXT.Pipe(duplex=False) for _ in range(2))
    child = _CONTEXT.Process(target=_simulator, args=(scenario, asked[0], said[1]))
    child.start()
    asked[0].close()
    said[1].close()
    with said[0], asked[1], os.fdopen(os.dup(said[0].fileno()), "rb") as lines:
        yield lines.readline()
    child.join(patience_s)


def _simulator(scenario: str, stdin: Connection, stdout: Connection) -> None:
    _take_streams(stdin, stdout)
    from runner.simulator.__main__ import main

    sys.exit(main([scenario, "--exit-with-stdin"]))


def _feed(stdin: Connection, content: bytes) -> None:
    with stdin:
        try:
            while content:
                content = content[os.write(stdin.fileno(), content) :]
        except BrokenPipeError:
            pass


def _read_both(stdout: Connection, stderr: Connection, deadline: float) -> tuple[bytes, bytes]:
    read = {stdout: bytearray(), stderr: bytearray()}
    still = [stdout, stderr]
    while still:
        ready = wait(still, max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError
        for pipe in (stdout, stderr):
            if pipe in ready:
                data = os.read(pipe.fileno(), 65536)
                read[pipe] += data
                if not data:
                    still.remove(pipe)
                    pipe.close()
    return bytes(read[stdout]), bytes(read[stderr])


def _child(
    folder: str,
    arguments: list[str],
    env: dict[str, str],
    stdin: Connection,
    stdout: Connection,
    stderr: Connection,
) -> None:
    _take_streams(stdin, stdout, stderr)
    _run(folder, arguments, env)


def _on_terminal(folder: str, arguments: list[str], env: dict[str, str], end: Connection) -> None:
    os.setsid()
    fcntl.ioctl(end.fileno(), termios.TIOCSCTTY, 0)
    for number in range(3):
        os.dup2(end.fileno(), number)
    end.close()
    _open_streams()
    _run(folder, arguments, env)


def _take_streams(*pipes: Connection) -> None:
    for number, pipe in enumerate(pipes):
        os.dup2(pipe.fileno(), number)
        pipe.close()
    _open_streams()


def _open_streams() -> None:
    # These stay open as long as the process does.
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115


def _run(folder: str, arguments: list[str], env: dict[str, str]) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["runner", *arguments]
    from runner.__main__ import main

    main()
