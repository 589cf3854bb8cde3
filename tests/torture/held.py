"""Results that cannot be written in the middle of a run: it waits, and goes on or ends with 74."""

import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.processes.running import environment, lines_of, pointing_at, wait_until
from tests.simulated import stats
from tests.torture.judge import Judge, judge_repeats
from tests.torture.mounts import mount_image, unmount
from tests.torture.report import Report
from tests.torture.stage import MODEL, PATIENCE_S, Ended, Stage

CONCURRENCY = 4
_SOON_S = 8.0
"""What has nothing to wait for ends within this, on a busy machine too."""
_BLOCK = b"\0" * 4096
_LAUNCH = """
import sys
from runner.__main__ import main
from runner.engine import hold
hold.HOLD_S = {hold_s}
sys.exit(main())
"""


@dataclass(slots=True, kw_only=True)
class Held:
    """A batch at work, with what it has said so far in a file."""

    scene: Stage
    report: Report
    results: Path
    process: subprocess.Popen[bytes]
    said: Path

    def words(self) -> str:
        """Give what it has said so far, on one line."""
        return " ".join(self.said.read_text().split())

    def waits(self) -> None:
        """Wait until it says that it cannot write."""
        wait_until(lambda: self.process.poll() is not None or "Trying again" in self.words())

    def sends_nothing(self) -> None:
        """See that all answers come in and no request goes out."""
        wait_until(lambda: stats(self.scene.endpoints)["in_flight"] == 0)
        before = stats(self.scene.endpoints)["requests"]
        time.sleep(0.7)  # longer than the time between two tries
        after = stats(self.scene.endpoints)["requests"]
        self.report.demand(before == after, f"{after - before} requests while it was held")

    def end(self) -> Ended:
        """Wait for the end."""
        self.process.wait(PATIENCE_S)
        return Ended(code=self.process.returncode, stdout="", stderr=self.words())

    def goes_on(self, what: str) -> None:
        """See the run end as if nothing had happened: every job asked exactly once."""
        ended, report = self.end(), self.report
        report.demand(ended.code == 0, f"{what}: {ended}")
        report.demand("the run goes on" in ended.stderr, f"{what}: {ended}")
        judge = Judge(self.results, report)
        judge.finished(self.scene)
        counts = set(self.scene.requests().values())
        report.demand(counts == {1}, f"{what}: jobs were asked {counts} times")
        report.figures[what] = "went on by itself, every job asked once"

    def next_run(self, what: str, judge: Judge) -> None:
        """See the next run finish the file."""
        unresolved = judge.unresolved()
        ended = self.scene.batch("-o", self.results)
        self.report.demand(ended.code == 0, f"{what}, the next run: {ended}")
        judge_repeats(self.report, self.scene, judge.finished(self.scene), unresolved)


def begin(
    scene: Stage, report: Report, results: Path, *options: str, hold_s: float | None = None
) -> Held:
    """Start a batch and wait for its first records. `hold_s` shortens its patience."""
    said = scene.folder / f"{results.stem}.said"
    start = ["-m", "runner"] if hold_s is None else ["-c", _LAUNCH.format(hold_s=hold_s)]
    words = ["batch", str(scene.jobs), "-m", f"openai/{MODEL}", "-o", str(results)]
    with said.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, *start, *words, "-c", str(CONCURRENCY), *options],
            cwd=scene.folder,
            env=environment(scene.folder, pointing_at(scene.endpoints)),
            stdin=subprocess.DEVNULL,
            stderr=stderr,
        )
    wait_until(lambda: process.poll() is not None or lines_of(results) >= CONCURRENCY)
    return Held(scene=scene, report=report, results=results, process=process, said=said)


def eat(filler: Path) -> None:
    """Leave no room at all on a disk."""
    fd = os.open(filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        while os.write(fd, _BLOCK * 16):
            pass
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
    finally:
        os.close(fd)


def filled(scene: Stage, room: Path, report: Report, *, hold_s: float | None = None) -> None:
    """Fill the disk for good: what is on its way is recorded in the room that was kept."""
    summary = room / "summary.json"
    options = ("--summary-json", str(summary))
    held = begin(scene, report, room / "filled.jsonl", *options, hold_s=hold_s)
    filler = room / "filler"
    eat(filler)
    ended, judge = held.end(), Judge(held.results, report)
    judge.look()
    report.demand(ended.code == 74, f"the disk filled up: {ended}")
    report.demand("no space left" in ended.stderr, f"what was said: {ended.stderr}")
    report.demand("Every answer that arrived is recorded" in ended.stderr, f"said: {ended.stderr}")
    report.equal("filled: out at the end", len(judge.unresolved()), 0)
    asked = sum(scene.requests().values())
    report.equal("filled: answers not recorded", asked - len(judge.answers), 0)
    report.demand(not list(room.glob("*.reserve")), "the reserve was left behind")
    figures = json.loads(summary.read_text() or "{}")
    report.demand(figures.get("exit_code") == 74, f"the summary says {figures}")
    filler.unlink()
    held.next_run("filled", judge)


def room_again(scene: Stage, room: Path, report: Report) -> None:
    """Fill the disk and make room again while the run waits."""
    held = begin(scene, report, room / "again.jsonl")
    filler = room / "filler"
    eat(filler)
    held.waits()
    held.sends_nothing()
    filler.unlink()
    held.goes_on("room again")


def moved_back(scene: Stage, room: Path, report: Report) -> None:
    """Move the folder of the results away, and back while the run waits."""
    place, elsewhere = room / "here", room / "there"
    place.mkdir()
    held = begin(scene, report, place / "moved.jsonl")
    place.rename(elsewhere)
    held.waits()
    held.sends_nothing()
    elsewhere.rename(place)
    held.goes_on("moved and back")


def removed(scene: Stage, room: Path, report: Report) -> None:
    """Remove the folder: nothing brings the file back, so nothing is waited for."""
    place = room / "removed"
    place.mkdir()
    held = begin(scene, report, place / "removed.jsonl")
    shutil.rmtree(place)
    began = time.monotonic()
    ended = held.end()
    report.demand(ended.code == 74, f"the folder was removed: {ended}")
    report.most("removed: seconds to the end", time.monotonic() - began, _SOON_S)
    place.mkdir()
    ended = scene.batch("-o", held.results)
    report.demand(ended.code == 0, f"the folder was made again: {ended}")
    Judge(held.results, report).finished(scene)


def too_large(scene: Stage, room: Path, report: Report) -> None:
    """Let the file grow no more (EFBIG), and again while the run waits."""
    held = begin(scene, report, room / "large.jsonl")
    before = _bound(held, held.results.stat().st_size + 100)
    held.waits()
    held.sends_nothing()
    _bound(held, before)
    held.goes_on("largest size")


def immutable(scene: Stage, room: Path, report: Report) -> None:
    """Forbid writing the file (EPERM), and allow it again while the run waits. Needs ext4."""
    held = begin(scene, report, room / "immutable.jsonl")
    subprocess.run(["chattr", "+i", str(held.results)], check=True, capture_output=True)
    try:
        held.waits()
        held.sends_nothing()
    finally:
        subprocess.run(["chattr", "-i", str(held.results)], check=True)
    held.goes_on("permission denied")


def aborted(scene: Stage, room: Path, report: Report) -> None:
    """Make the file system read-only under the run (EROFS), for good. Needs ext4."""
    held = begin(scene, report, room / "aborted.jsonl", hold_s=0.7)
    subprocess.run(["mount", "-o", "remount,abort", str(room)], check=True)
    ended = held.end()
    report.demand(ended.code == 74, f"the file system was aborted: {ended}")
    report.demand("read-only" in ended.stderr, f"what was said: {ended.stderr}")
    unmount(room)
    mount_image(room)
    # As after a loss of power: the last second of records may be gone.
    ended = scene.batch("-o", held.results)
    report.demand(ended.code == 0, f"mounted again: {ended}")
    Judge(held.results, report).finished(scene)
    report.figures["read-only in mid-run"] = "74; finished by the next run"


def stopped_full(scene: Stage, room: Path, report: Report) -> None:
    """SIGTERM on a full disk: all that had come is recorded, so the code is the signal's."""
    held = begin(scene, report, room / "stopped.jsonl", "--grace", "0.5s")
    filler = room / "filler"
    eat(filler)
    judge = _stopped("stopped, full", held, 143)
    filler.unlink()
    held.next_run("stopped, full", judge)


def stopped_large(scene: Stage, room: Path, report: Report) -> None:
    """SIGTERM where nothing can be written: answers are lost, so the code is 74, and soon."""
    held = begin(scene, report, room / "bounded.jsonl", "--grace", "0.5s")
    _bound(held, held.results.stat().st_size + 100)
    held.next_run("stopped, large", _stopped("stopped, large", held, 74))


def _stopped(what: str, held: Held, code: int) -> Judge:
    held.waits()
    held.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    ended, judge = held.end(), Judge(held.results, held.report)
    held.report.most(f"{what}: seconds to the end", time.monotonic() - began, _SOON_S)
    held.report.demand(ended.code == code, f"{what}: {ended}")
    judge.look()
    return judge


def filled_for_a_minute(scene: Stage, room: Path, report: Report) -> None:
    """Fill the disk for good, and see how long the real patience is."""
    began = time.monotonic()
    filled(scene, room, report)
    report.most("filled: seconds, with a start and a next run", time.monotonic() - began, 75)


def _bound(held: Held, size: int) -> int:
    """Let no file of the run grow beyond so many bytes; give the bound it had before."""
    which = resource.RLIMIT_FSIZE
    before, hard = resource.prlimit(held.process.pid, which)
    resource.prlimit(held.process.pid, which, (size, hard))
    return before


Scene = Callable[[Stage, Path, Report], None]
SHORT: tuple[Scene, ...] = (partial(filled, hold_s=0.7), room_again)
ON_ANY_DISK: tuple[Scene, ...] = (
    filled_for_a_minute,
    room_again,
    moved_back,
    removed,
    too_large,
    stopped_full,
    stopped_large,
)
ON_A_REAL_DISK: tuple[Scene, ...] = (room_again, too_large, immutable, aborted)
