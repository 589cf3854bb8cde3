"""Runs `runner` in forks of one warm process, and strikes at the N-th change of a file.

Every call that changes a file of the folder is a point: the process is killed there, or the call
fails. Forks are real processes: `kill -9` is the kernel's, and nothing of them lives on.
"""

import builtins
import errno
import io
import json
import mmap
import os
import signal
import struct
import sys
from collections.abc import Callable
from typing import Any

PATIENCE_S = 60
_MAKES = os.O_CREAT | os.O_TRUNC
_GROWS = ("open", "write", "pwrite", "fsync", "fdatasync", "rename", "replace")
_PLACE = struct.Struct("ii240s")
_HOLD_S = 0.3
_RETRY_S = 0.05
_LISTED_S = 0.5


class Points:
    """Counts the changes and strikes at one of them."""

    def __init__(self) -> None:
        self.folder = ""
        self.at = 0
        self.how = ""
        self.seen = 0
        self.fds: dict[int, str] = {}
        self.told = mmap.mmap(-1, _PLACE.size)

    def inside(self, path: Any) -> str | None:
        """Give the name of a path that is watched."""
        if not self.folder or isinstance(path, int):
            return None
        full = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - links are not followed
        return full[len(self.folder) + 1 :] if full.startswith(self.folder + os.sep) else None

    def meet(self, call: str, name: str | None) -> str | None:
        """Note one change; "part" or "short" where the caller has to write a part of its bytes."""
        if name is None:
            return None
        self.seen += 1
        fired = self.seen == self.at
        what = f"{call} {name}".encode()[:240]
        if self.seen <= self.at:
            _PLACE.pack_into(self.told, 0, self.seen, fired, what)
        if self.how == "kill" and fired:
            _kill_self()
        if call in ("write", "pwrite") and fired and self.how in ("part", "short"):
            return self.how
        if self.how == "part" and fired:
            _kill_self()
        self._fail(call, fired)
        return None

    def _fail(self, call: str, fired: bool) -> None:
        lasting = self.how.endswith("-on") and self.seen >= self.at
        number = getattr(errno, self.how.removesuffix("-on"), None)
        if number is None or not (fired or lasting):
            return
        if number != errno.ENOSPC or call in _GROWS:
            raise OSError(number, os.strerror(number))


POINTS = Points()


def _kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _on_path(call: str) -> None:
    real = getattr(os, call)

    def changed(path: Any, *rest: Any, **named: Any) -> Any:
        name = POINTS.inside(path)
        if isinstance(path, int):
            name = POINTS.fds.get(path)
        POINTS.meet(call, name)
        return real(path, *rest, **named)

    setattr(os, call, changed)


def _on_write(call: str) -> None:
    real = getattr(os, call)

    def changed(fd: int, data: Any, *rest: Any) -> Any:
        asked = POINTS.meet(call, POINTS.fds.get(fd))
        if asked is None:
            return real(fd, data, *rest)
        done = real(fd, bytes(data)[: len(data) // 2], *rest)
        if asked == "part":
            _kill_self()
        return done

    setattr(os, call, changed)


class _File(io.FileIO):
    """A file as `open(..., buffering=0)` gives it, watched."""

    def write(self, data: Any) -> int:
        asked = POINTS.meet("write", POINTS.inside(self.name))
        if asked is None:
            return super().write(data) or 0
        done = super().write(bytes(data)[: len(data) // 2])
        if asked == "part":
            _kill_self()
        return done or 0

    def truncate(self, size: int | None = None) -> int:
        POINTS.meet("ftruncate", POINTS.inside(self.name))
        return super().truncate(size)


def watch() -> None:
    """Put ourselves between Python and the system. Before anything else is imported."""
    for call in ("rename", "replace", "unlink", "truncate", "ftruncate", "fsync"):
        _on_path(call)
    if hasattr(os, "fdatasync"):
        _on_path("fdatasync")
    _on_write("write")
    _on_write("pwrite")
    real_open, real_close, real_file = os.open, os.close, builtins.open

    def opened(path: Any, flags: int, *rest: Any, **named: Any) -> int:
        name = POINTS.inside(path)
        if flags & _MAKES:
            POINTS.meet("open", name)
        fd = real_open(path, flags, *rest, **named)
        if name is not None:
            POINTS.fds[fd] = name
        return fd

    def closed(fd: int) -> None:
        POINTS.fds.pop(fd, None)
        real_close(fd)

    def file(path: Any, mode: str = "r", buffering: int = -1, *rest: Any, **named: Any) -> Any:
        name = POINTS.inside(path)
        if name is None or not set(mode) & set("wax+"):
            return real_file(path, mode, buffering, *rest, **named)
        POINTS.meet("open", name)
        raw = _File(os.fspath(path), mode.replace("b", "").replace("t", ""))
        POINTS.fds[raw.fileno()] = name
        if buffering == 0:
            return raw
        buffered = io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, *rest, **named)

    os.open, os.close = opened, closed
    builtins.open = io.open = file  # type: ignore[assignment] # the same in all that is used


def _play(order: dict[str, Any], main: Callable[[], int]) -> None:
    os.chdir(order["folder"])
    _streams(order)
    _hurry(worth_rows=order["worth_rows"])
    sys.argv = ["runner", *order["arguments"]]
    signal.alarm(PATIENCE_S)
    POINTS.fds.clear()
    POINTS.folder, POINTS.at, POINTS.how = order["folder"], order["at"], order["how"]
    code = 1
    try:
        code = main()
    except SystemExit as error:
        code = int(error.code or 0)
    except BaseException:  # noqa: BLE001 - a traceback is what must never be seen
        import traceback

        traceback.print_exc()
    sys.stderr.flush()
    os._exit(code)


def _hurry(worth_rows: int | None) -> None:
    """Bear trouble and lists that lag for a moment only, and keep checkpoints of small files."""
    from runner.engine import hold
    from runner.lanes import patience
    from runner.results import checkpoint

    hold.HOLD_S, hold.RETRY_S = _HOLD_S, _RETRY_S
    patience.LISTED_WITHIN_S = _LISTED_S
    if worth_rows is not None:
        checkpoint.WORTH_ROWS = worth_rows


def _streams(order: dict[str, Any]) -> None:
    """Put the streams on files, and what comes on stdin into a pipe."""
    given = order["stdin"]
    if given is None:
        stdin = os.open(os.devnull, os.O_RDONLY)
    else:
        stdin, end = os.pipe()
        os.write(end, given.encode())
        os.close(end)
    said = os.open(order["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(stdin, 0)
    os.dup2(said, 1)
    os.dup2(said, 2)


def serve() -> None:
    """Carry out one order a line, and answer each with how it ended."""
    watch()
    from runner.__main__ import main

    warm_up()
    for line in sys.stdin:
        order = json.loads(line)
        _PLACE.pack_into(POINTS.told, 0, 0, 0, b"")
        child = os.fork()
        if child == 0:
            _play(order, main)
        _, status = os.waitpid(child, 0)
        seen, fired, what = _PLACE.unpack_from(POINTS.told)
        answer = {
            "code": os.waitstatus_to_exitcode(status),
            "seen": seen,
            "fired": bool(fired),
            "what": what.rstrip(b"\0").decode("utf-8", "replace"),
        }
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def warm_up() -> None:
    """Import what a batch imports, once for all forks."""
    import importlib

    for name in (
        "filelock",
        "openai",
        "tqdm",
        "aiofiles.threadpool",
        "runner.cli.main",
        "runner.cli.batch",
        "runner.run.batch",
        "runner.run.working",
        "runner.run.batch_working",
        "runner.providers.batches.openai_batches",
        "runner.providers.openai_chat",
        "runner.providers.transport",
        "anyio._backends._asyncio",
    ):
        importlib.import_module(name)


if __name__ == "__main__":
    serve()
