"""A disk that is full, read-only or gone while results are written to it."""

import errno
import random
import shutil
import subprocess
from pathlib import Path

from tests.simulated import reset_stats
from tests.torture.held import ON_A_REAL_DISK, ON_ANY_DISK, SHORT, begin
from tests.torture.judge import Judge, Send, judge_repeats
from tests.torture.mounts import real_disk, small_disk
from tests.torture.report import Report
from tests.torture.stage import Stage, plain, stage
from tests.torture.stop import SCENARIO

CONCURRENCY = 16
_BLOCK = 4096
_ROOM_FOR_ORDER = 40 * 1024 * 1024
_ROOM_FOR_RESERVE = 12 * 1024 * 1024
_HOLD_S = 0.3


def disk(folder: Path, *, long: bool, seed: int) -> Report:
    """Fill a disk before runs and in the middle of them, forbid writing, take the folder away."""
    report, chance = Report("disk"), random.Random(seed)
    jobs, fills = (6_000, 40) if long else (80, 1)
    with (
        stage(folder / "jobs", SCENARIO, plain(jobs)) as scene,
        small_disk(folder / "disk", _ROOM_FOR_ORDER) as room,
    ):
        _full(scene, room, report, chance, fills)
    with stage(folder / "few", SCENARIO, plain(60)) as scene:
        with small_disk(folder / "other", _ROOM_FOR_RESERVE) as room:
            _read_only(scene, room, report)
            for play in ON_ANY_DISK if long else SHORT:
                reset_stats(scene.endpoints)
                play(scene, room, report)
        if long:
            with real_disk(folder / "real", _ROOM_FOR_ORDER) as room:
                for play in ON_A_REAL_DISK:
                    reset_stats(scene.endpoints)
                    play(scene, room, report)
    return report


def _full(scene: Stage, room: Path, report: Report, chance: random.Random, fills: int) -> None:
    results = room / "out.jsonl"
    judge = Judge(results, report)
    unresolved: set[Send] = set()
    filler = room / "filler"
    share = len(scene.asks) * 2200 // (fills + 1)
    for _ in range(fills):
        _fill(filler, room, leave=chance.randrange(share // 2, share))
        ended = begin(scene, report, results, "-c", str(CONCURRENCY), hold_s=_HOLD_S).end()
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
