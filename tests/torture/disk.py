"""A disk that is full, read-only or gone while results are written to it."""

import errno
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.torture.judge import Judge, Send, judge_repeats
from tests.torture.report import Report
from tests.torture.stage import Ended, Stage, end_of, plain, stage
from tests.torture.stop import SCENARIO

CONCURRENCY = 16
_BLOCK = 4096
_ROOM_FOR_ORDER = 40 * 1024 * 1024


class CannotMountError(Exception):
    """Only root can make a small disk, and not in every container."""


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """Mount a tmpfs of so many bytes. Raises CannotMountError."""
    folder.mkdir(parents=True)
    options = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        subprocess.run(options, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotMountError(f"a tmpfs cannot be mounted here: {error}") from error
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def disk(folder: Path, *, long: bool, seed: int) -> Report:
    """Fill a disk again and again, make it read-only, and take it away, in the middle of runs."""
    report, chance = Report("disk"), random.Random(seed)
    jobs, fills = (6_000, 40) if long else (160, 1)
    with (
        stage(folder / "jobs", SCENARIO, plain(jobs)) as scene,
        small_disk(folder / "disk", _ROOM_FOR_ORDER) as room,
    ):
        _full(scene, room, report, chance, fills)
    with (
        stage(folder / "few", SCENARIO, plain(120)) as scene,
        small_disk(folder / "other", _ROOM_FOR_ORDER) as room,
    ):
        _read_only(scene, room, report)
        _moved(scene, room, report)
        if long:
            _removed(scene, room, report)
    return report


def _full(scene: Stage, room: Path, report: Report, chance: random.Random, fills: int) -> None:
    results = room / "out.jsonl"
    judge = Judge(results, report)
    unresolved: set[Send] = set()
    filler = room / "filler"
    share = len(scene.asks) * 2200 // (fills + 1)
    for _ in range(fills):
        _fill(filler, room, leave=chance.randrange(share // 2, share))
        ended = scene.batch("-o", results, "-c", str(CONCURRENCY))
        judge.look()
        report.demand(ended.code == 74, f"on a full disk: {ended}")
        report.demand("no space left" in ended.stderr, f"what was said: {ended.stderr}")
        out = judge.unresolved()
        report.demand(len(out - unresolved) <= 2 * CONCURRENCY, f"{len(out - unresolved)} were out")
        unresolved |= out
        recorded = len(judge.answers)
        report.demand(f"{recorded:,} of" in ended.stderr, f"{recorded} are recorded: {ended}")
    filler.unlink()
    ended = scene.batch("-o", results, "-c", str(CONCURRENCY))
    report.demand(ended.code == 0, f"with room again: {ended}")
    found = judge.finished(scene)
    judge_repeats(report, scene, found, unresolved)
    report.figures["times full"] = fills
    report.figures["requests out when the disk was full"] = len(unresolved)


def _fill(filler: Path, room: Path, leave: int) -> None:
    """Leave so many bytes free."""
    filler.unlink(missing_ok=True)
    free = shutil.disk_usage(room).free
    with filler.open("wb") as file:
        try:
            file.write(b"\0" * max(0, free - leave - leave % _BLOCK))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def _read_only(scene: Stage, room: Path, report: Report) -> None:
    """Remount it read-only between two runs: the second sends nothing and harms nothing."""
    results = room / "out.jsonl"
    first = scene.batch("-o", results, "--limit", "20")
    report.demand(first.code == 0, f"before the disk was read-only: {first}")
    before, requests = results.read_bytes(), sum(scene.requests().values())
    subprocess.run(["mount", "-o", "remount,ro", str(room)], check=True)
    try:
        ended = scene.batch("-o", results)
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(room)], check=True)
    report.demand(ended.code == 74, f"on a read-only disk: {ended}")
    report.demand("read-only" in ended.stderr, f"what was said: {ended.stderr}")
    report.equal("read-only: requests", sum(scene.requests().values()) - requests, 0)
    report.equal("read-only: file unchanged", results.read_bytes() == before, True)
    ended = scene.batch("-o", results)
    report.demand(ended.code == 0, f"writable again: {ended}")
    Judge(results, report).finished(scene)


def _moved(scene: Stage, room: Path, report: Report) -> None:
    """Move the folder of the results in the middle of a run, and back before the next one."""
    place, elsewhere = room / "place", room / "elsewhere"
    place.mkdir()
    ended = _while_running(scene, place, lambda: place.rename(elsewhere))
    report.demand(ended.code == 74, f"the folder was moved: {ended}")
    judge = Judge(elsewhere / "out.jsonl", report)
    judge.look()
    unresolved = judge.unresolved()
    report.figures["moved away: recorded"] = len(judge.answers)
    elsewhere.rename(place)
    again = scene.batch("-o", place / "out.jsonl")
    report.demand(again.code == 0, f"the folder was moved back: {again}")
    judge.path = place / "out.jsonl"
    judge.finished(scene)
    report.figures["moved away: out"] = len(unresolved)


def _removed(scene: Stage, room: Path, report: Report) -> None:
    """Remove the folder of the results in the middle of a run."""
    place = room / "removed"
    place.mkdir()
    ended = _while_running(scene, place, lambda: shutil.rmtree(place))
    report.demand(ended.code == 74, f"the folder was removed: {ended}")
    place.mkdir()
    ended = scene.batch("-o", place / "out.jsonl")
    report.demand(ended.code == 0, f"the folder was made again: {ended}")
    Judge(place / "out.jsonl", report).finished(scene)


def _while_running(scene: Stage, place: Path, happens: Callable[[], object]) -> Ended:
    results = place / "out.jsonl"
    process = scene.start("-o", results, "-c", "2")
    while process.poll() is None and not (results.exists() and results.stat().st_size):
        time.sleep(0.005)  # the file of another process can only be asked for
    happens()
    return end_of(process)
