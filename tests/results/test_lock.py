"""One run at a time."""

import errno
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.errors import LockedError, UsageError, WriteError
from runner.results import lock as lock_module
from runner.results.lock import cover, hold_lock
from runner.results.paths import ResultPaths, paths_for

HOLDER = """
import sys
from pathlib import Path
from runner.results.lock import hold_lock
from runner.results.paths import paths_for
with hold_lock(paths_for(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def paths(tmp_path: Path) -> ResultPaths:
    """Name a results file that nobody holds."""
    return paths_for(tmp_path / "o.jsonl")


@pytest.fixture
def holder(paths: ResultPaths) -> Iterator[subprocess.Popen[bytes]]:
    """Let another process hold the results file."""
    command = [sys.executable, "-c", HOLDER, str(paths.results)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_held_by_another(paths: ResultPaths, holder: subprocess.Popen[bytes]) -> None:
    """A second run is refused at once, told who holds the file, and how to wait."""
    today = datetime.now(UTC).date().isoformat()
    with pytest.raises(LockedError) as refused, hold_lock(paths):
        pass
    first, second = str(refused.value).splitlines()
    who = f"another run holds {paths.shown}: process {holder.pid}, since "
    assert first.startswith(who)
    if datetime.now(UTC).date().isoformat() == today:
        assert re.fullmatch(r"\d\d:\d\d:\d\dZ\.", first.removeprefix(who))
    assert second == "Wait for it with --wait-lock 10m."
    assert refused.value.exit_code == 75


def test_killed_holder(paths: ResultPaths, holder: subprocess.Popen[bytes]) -> None:
    """A killed run frees the file at once, whatever it left in the lock file."""
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert paths.lock.stat().st_size > 0
    with hold_lock(paths):
        assert str(os.getpid()).encode() in paths.lock.read_bytes()
    assert paths.lock.read_bytes() == b""


def test_waiting(paths: ResultPaths, holder: subprocess.Popen[bytes]) -> None:
    """A run that waits gets the file when the other ends."""
    assert holder.stdin is not None
    timer = threading.Timer(0.05, holder.stdin.close)
    timer.start()
    with hold_lock(paths, wait_s=30):
        assert holder.wait() == 0
    timer.join()


def test_the_same_inode_for_everybody(paths: ResultPaths) -> None:
    """The lock file is never removed or replaced, or two runs could both hold one."""
    with hold_lock(paths):
        first = paths.lock.stat().st_ino
        with pytest.raises(LockedError), hold_lock(paths, wait_s=0.01):
            pass
        assert paths.lock.stat().st_size > 0  # the refused one has not emptied it
    with hold_lock(paths):
        assert paths.lock.stat().st_ino == first


def test_symlinked_output(paths: ResultPaths, tmp_path: Path) -> None:
    """A link to the results file is held together with it."""
    link = tmp_path / "link.jsonl"
    paths.results.touch()
    link.symlink_to(paths.results)
    with (
        hold_lock(paths),
        pytest.raises(LockedError, match=r"link\.jsonl"),
        hold_lock(paths_for(link)),
    ):
        pass


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "another run holds {}.\n"),
        (b"\xff{", "another run holds {}.\n"),
        # A process that is gone is a run that was killed before the present one.
        (b'{"pid":999999999,"host":"HOST","since":"2026-11-22T02:00:04.123Z"}', "holds {}.\n"),
        (
            b'{"pid":1,"host":"far","since":"2020-11-22T02:00:04.123Z"}',
            "holds {}: process 1 on far, since 2020-11-22 02:00:04Z.\n",
        ),
        (
            b'{"pid":1,"host":"HOST","since":"2020-11-22T02:00:04.123Z"}',
            "holds {}: process 1, since 2020-11-22 02:00:04Z.\n",
        ),
    ],
)
def test_what_is_told_of_the_holder(paths: ResultPaths, text: bytes, says: str) -> None:
    """Only what can be true is told of the holder."""
    with hold_lock(paths):
        paths.lock.write_bytes(text.replace(b"HOST", socket.gethostname().encode()))
        with pytest.raises(LockedError) as refused, hold_lock(paths):
            pass
    assert says.format(paths.shown) in str(refused.value)


def test_removed_while_held(paths: ResultPaths) -> None:
    """Somebody who removes the lock file does not make the run fail."""
    with hold_lock(paths):
        paths.lock.unlink()
    assert not paths.lock.exists()


def test_no_place_for_a_lock(tmp_path: Path) -> None:
    """A lock file that cannot be made is an error in words."""
    paths = paths_for(tmp_path / "o.jsonl")
    paths.lock.mkdir()
    with pytest.raises(WriteError, match="cannot write"), hold_lock(paths):
        pass


def test_no_locks_here(paths: ResultPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without locks is said, not worked around."""
    monkeypatch.setattr(lock_module, "_NO_LOCKS", {errno.EISDIR})
    paths.lock.mkdir()
    with pytest.raises(UsageError, match="has no locks"), hold_lock(paths):
        pass


@pytest.mark.parametrize("second", ["hard link", "lock file removed"])
def test_the_file_itself_is_held(
    paths: ResultPaths, tmp_path: Path, second: str, request: pytest.FixtureRequest
) -> None:
    """A second name of the file, or a lock file that is gone, lets nobody in; a kill frees it."""
    paths.results.touch()
    holder: subprocess.Popen[bytes] = request.getfixturevalue("holder")
    other = paths
    if second == "hard link":
        os.link(paths.results, tmp_path / "other.jsonl")
        other = paths_for(tmp_path / "other.jsonl")
    else:
        paths.lock.unlink()
    with pytest.raises(LockedError, match="another name"), hold_lock(other, wait_s=0.05):
        pass
    holder.kill()
    holder.wait()
    with hold_lock(other):
        pass


def test_a_file_made_during_the_run_is_held(paths: ResultPaths) -> None:
    """The file that a run makes, or makes anew, is locked from then to the end of the run."""
    with hold_lock(paths):
        for name in ("first", "second"):
            with (paths.results.parent / name).open("ab") as file:
                cover(paths, file.fileno())
                cover(paths, file.fileno())
        assert can_be_locked(paths.results.parent / "first")
        assert not can_be_locked(paths.results.parent / "second")
    assert can_be_locked(paths.results.parent / "second")


def test_nothing_is_locked_without_a_run(paths: ResultPaths) -> None:
    """Where nothing is held, opening a file for records holds nothing."""
    with paths.results.open("ab") as file:
        cover(paths, file.fileno())
        assert can_be_locked(paths.results)


def test_a_file_held_elsewhere_is_not_taken(paths: ResultPaths) -> None:
    """A file that another run has made under another name is refused before anything is sent."""
    with hold_lock(paths):
        paths.results.touch()
        with paths.results.open("ab") as theirs, paths.results.open("ab") as ours:
            fcntl.flock(theirs, fcntl.LOCK_EX)
            with pytest.raises(LockedError, match="another name"):
                cover(paths, ours.fileno())


def test_the_lock_of_another_is_not_wiped(paths: ResultPaths) -> None:
    """Where the lock file was removed and made anew, the end of a run leaves the new one alone."""
    with hold_lock(paths):
        paths.lock.unlink()
        paths.lock.write_text("theirs")
    assert paths.lock.read_text() == "theirs"


def test_a_lock_that_is_a_link_is_refused(paths: ResultPaths, tmp_path: Path) -> None:
    """What a link in the lock's place leads to is neither made nor emptied."""
    victim = tmp_path / "victim"
    paths.lock.symlink_to(victim)
    with pytest.raises(WriteError, match="cannot write"), hold_lock(paths):
        pass
    assert not victim.exists()


def can_be_locked(path: Path) -> bool:
    """Whether nobody holds a file."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
