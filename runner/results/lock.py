"""One run at a time on a results file.

The lock is the kernel's (flock): `kill -9` frees it. The file is never removed, or two runs could
hold locks on two files of one name. What stands in it is for the message only.

The results file itself is locked as well, so that a second name of it (a hard link, a mount of the
one file) or a lock file that somebody has removed does not let two runs write to it.
"""

import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from runner.clock import Clock, SystemClock, rfc3339
from runner.errors import LockedError, UsageError
from runner.results.durable import cannot_write
from runner.results.paths import ResultPaths

_POLL_S = 0.1
_NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}


class _Holder(msgspec.Struct):
    pid: int
    host: str
    since: str


@contextmanager
def hold_lock(
    paths: ResultPaths, *, wait_s: float = 0.0, clock: Clock | None = None
) -> Iterator[None]:
    """Hold the results file until the block ends, waiting up to `wait_s` seconds for it.

    Raises LockedError while another run holds it, UsageError where the file system has no locks,
    WriteError where the lock file cannot be made. Blocks; call it outside the event loop.
    """
    # Imported here: it costs 40 ms that readers need not pay.
    from filelock import FileLock, Timeout

    deadline = time.monotonic() + wait_s
    moment = rfc3339((clock or SystemClock()).now())
    text = _Text(_Holder(pid=os.getpid(), host=socket.gethostname(), since=moment))
    lock = FileLock(
        paths.lock,
        timeout=wait_s,
        poll_interval=_POLL_S,
        thread_local=False,
        # Never unlinked, and never a soft lock, which a dead run would leave behind.
        preserve_lock_file=True,
        fallback_to_soft=False,
        on_acquired=text.write,
    )
    flags = os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW
    try:
        # FileLock would take a folder in which nothing can be made for a lock that is held.
        os.close(os.open(paths.lock, flags, 0o666))
        lock.acquire()
    except Timeout:
        raise LockedError(_held(paths)) from None
    except OSError as error:
        if error.errno in _NO_LOCKS:
            raise UsageError(_without_locks(paths)) from error
        raise cannot_write(paths.lock, error) from error
    cover = _Cover(paths)
    _covers[paths.results] = cover
    try:
        cover.take_existing(deadline)
        yield
    finally:
        del _covers[paths.results]
        cover.drop()
        text.wipe()
        lock.release()


def cover(paths: ResultPaths, fd: int) -> None:
    """Lock the open results file too, as long as `hold_lock` does; nothing where it does not.

    Raises LockedError where another run has it under another name.
    """
    if paths.results in _covers:
        _covers[paths.results].take(fd)


class _Cover:
    """The lock on the results file itself, on a descriptor of its own."""

    def __init__(self, paths: ResultPaths) -> None:
        self._paths = paths
        self._fd: int | None = None

    def take_existing(self, deadline: float) -> None:
        try:
            fd = os.open(self._paths.results, os.O_RDWR | os.O_NONBLOCK)
        except OSError:
            return  # not there yet, or refused where it is opened to be written
        try:
            self._take(fd, deadline)
        finally:
            os.close(fd)

    def take(self, fd: int) -> None:
        if self._fd is None or not os.path.sameopenfile(self._fd, fd):
            self._take(fd, 0.0)

    def _take(self, fd: int, deadline: float) -> None:
        # A duplicate has one lock with its original and outlives it.
        mine = os.dup(fd)
        while not (locked := _locked(mine)) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        if not locked:
            os.close(mine)
            raise LockedError(_held_elsewhere(self._paths))
        self.drop()
        self._fd = mine

    def drop(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


_covers: dict[Path, _Cover] = {}
"""By results file: what this process holds."""


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # no such locks here: the lock file has to do
    return True


class _Text:
    """What stands in the lock file. A courtesy: a full disk is found out at the results."""

    def __init__(self, holder: _Holder) -> None:
        self._holder = holder
        self._fd = -1

    def write(self, fd: int) -> None:
        self._fd = fd
        with suppress(OSError):
            os.ftruncate(fd, 0)
            os.pwrite(fd, msgspec.json.encode(self._holder) + b"\n", 0)

    def wipe(self) -> None:
        # By descriptor: under its name another run's lock may stand, where ours was removed.
        with suppress(OSError):
            os.ftruncate(self._fd, 0)


def _held_elsewhere(paths: ResultPaths) -> str:
    return (
        f"another run writes to {paths.shown}\n"
        "under another name of it, or its lock file was removed.\n"
        "Wait for it with --wait-lock 10m."
    )


def _held(paths: ResultPaths) -> str:
    name = holder(paths)
    who = f": {name}" if name else ""
    return f"another run holds {paths.shown}{who}.\nWait for it with --wait-lock 10m."


def holder(paths: ResultPaths) -> str | None:
    """Name the run that holds these results, by what it wrote down; None where none is known."""
    # Between its lock and its text a new holder shows the text of a run that was killed, so a
    # process that is gone is not named.
    try:
        found = msgspec.json.decode(paths.lock.read_bytes(), type=_Holder)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    moment = _short(found.since)
    if found.host != socket.gethostname():
        return f"process {found.pid} on {found.host}, since {moment}"
    return f"process {found.pid}, since {moment}" if _alive(found.pid) else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's
    return True


def _short(moment: str) -> str:
    """Cut `2026-11-22T02:00:04.000Z` to `02:00:04Z`, with its date where that is not today's."""
    date, _, time = moment.partition("T")
    time = time.partition(".")[0] + "Z"
    return time if datetime.now(UTC).date().isoformat() == date else f"{date} {time}"


def _without_locks(paths: ResultPaths) -> str:
    return (
        f"the file system of {paths.shown} has no locks, so that two runs could\n"
        "write at once. Keep the results on another one with -o."
    )
