"""One run at a time on a results file.

The lock is the kernel's (flock): `kill -9` frees it. The file is never removed, or two runs could
hold locks on two files of one name. What stands in it is for the message only.
"""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

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

    moment = rfc3339((clock or SystemClock()).now())
    holder = _Holder(pid=os.getpid(), host=socket.gethostname(), since=moment)
    lock = FileLock(
        paths.lock,
        timeout=wait_s,
        poll_interval=_POLL_S,
        thread_local=False,
        # Never unlinked, and never a soft lock, which a dead run would leave behind.
        preserve_lock_file=True,
        fallback_to_soft=False,
        on_acquired=lambda fd: _inscribe(fd, holder),
    )
    try:
        # FileLock would take a folder in which nothing can be made for a lock that is held.
        os.close(os.open(paths.lock, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK, 0o666))
        lock.acquire()
    except Timeout:
        raise LockedError(_held(paths)) from None
    except OSError as error:
        if error.errno in _NO_LOCKS:
            raise UsageError(_without_locks(paths)) from error
        raise cannot_write(paths.lock, error) from error
    try:
        yield
    finally:
        with suppress(OSError):  # removed by somebody, or on a disk that failed meanwhile
            os.truncate(paths.lock, 0)
        lock.release()


def _inscribe(fd: int, holder: _Holder) -> None:
    os.ftruncate(fd, 0)
    # The text is a courtesy: a full disk is found out where it matters, at the results.
    with suppress(OSError):
        os.pwrite(fd, msgspec.json.encode(holder) + b"\n", 0)


def _held(paths: ResultPaths) -> str:
    holder = _holder(paths)
    who = f": {holder}" if holder else ""
    return f"another run holds {paths.shown}{who}.\nWait for it with --wait-lock 10m."


def _holder(paths: ResultPaths) -> str | None:
    # Between its lock and its text a new holder shows the text of a run that was killed, so a
    # process that is gone is not named.
    try:
        holder = msgspec.json.decode(paths.lock.read_bytes(), type=_Holder)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    moment = _short(holder.since)
    if holder.host != socket.gethostname():
        return f"process {holder.pid} on {holder.host}, since {moment}"
    return f"process {holder.pid}, since {moment}" if _alive(holder.pid) else None


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
