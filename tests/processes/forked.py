"""Run `runner` in a process forked from one that has imported it: a tenth of the CPU of a start.

The process, its descriptors, environment and folder are as real as any; what a start imports is not
tried by it. Who tests the start, or what Python itself reads from the environment, takes a new one.
"""

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection, wait
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
    for number, pipe in enumerate((stdin, stdout, stderr)):
        os.dup2(pipe.fileno(), number)
        pipe.close()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    # These stay open as long as the process does.
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.argv = ["runner", *arguments]
    from runner.__main__ import main

    main()
