"""Every change that a run makes to a file, struck once: killed there, half done, or refused.

Where `kill` and `disk` choose moments by chance, this one takes all of them in turn, so that no
window is too narrow to be hit.
"""

import json
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from tests.simulated import scenario_file
from tests.torture.crashpoints_cases import CASES, JOBS
from tests.torture.crashpoints_judge import KILLS, Point
from tests.torture.crashpoints_server import Server, server
from tests.torture.report import Report

SCENARIO = """
description = "short answers at once"
[answer]
min_tokens = 4
mean_tokens = 6
max_tokens = 8
[speed]
first_token_s = 0.001
jitter = 0.9
tokens_per_second = 100000
"""
FAULTS = ("ENOSPC", "EIO", "short", "ENOSPC-on", "EIO-on")
"""Once, a short write, or from there on."""
_SHORT_POINTS = 16
_FURTHEST = 24
"""A run of a few jobs has about so many changes."""
_MOST_POINTS = 400


def crashpoints(folder: Path, *, long: bool, seed: int) -> Report:
    """Strike every point of every case; the short form a few dozen that chance picks."""
    report = Report("crashpoints")
    folder.mkdir(parents=True, exist_ok=True)
    player = Player(folder=folder, report=report)
    with player.servers() as pool:
        if long:
            player.all(pool)
        else:
            player.some(pool, random.Random(seed))
    report.figures["points"] = dict(player.points)
    report.figures["runs killed"] = player.ends[-9]
    report.figures["runs that said they could not write"] = player.ends[74]
    report.demand(player.ends[-9], "nothing was killed")
    return report


@dataclass(slots=True, kw_only=True)
class Player:
    """Plays points side by side, each in its copy of a case's folder."""

    folder: Path
    report: Report
    points: Counter[str] = field(default_factory=Counter)
    ends: Counter[int] = field(default_factory=Counter)
    free: "SimpleQueue[Server]" = field(default_factory=SimpleQueue)

    def all(self, pool: ThreadPoolExecutor) -> None:
        """Strike each point of each case in every way."""
        self._prepare_all(pool, list(CASES))
        for _ in pool.map(self._every, [(n, how) for n in CASES for how in (*KILLS, *FAULTS)]):
            pass

    def some(self, pool: ThreadPoolExecutor, chance: random.Random) -> None:
        """Strike a few; refusals that last would be waited out."""
        names, hows = chance.sample(list(CASES), len(CASES)), (*KILLS, *KILLS, *FAULTS[:3])
        chosen = [
            (names[number % len(names)], chance.choice(hows), chance.randint(1, _FURTHEST))
            for number in range(_SHORT_POINTS)
        ]
        self._prepare_all(pool, [name for name, _, _ in chosen])
        for _ in pool.map(self._strike, chosen):
            pass

    @contextmanager
    def servers(self) -> Iterator[ThreadPoolExecutor]:
        """Start what runs them."""
        scenario = scenario_file(self.folder, SCENARIO)
        with (
            server(self.folder, scenario) as one,
            server(self.folder, scenario) as two,
            ThreadPoolExecutor(2) as pool,
        ):
            for each in (one, two):
                self.free.put(each)
            yield pool

    def _prepare_all(self, pool: ThreadPoolExecutor, names: list[str]) -> None:
        for _ in pool.map(self._prepare, dict.fromkeys(names)):
            pass

    def _prepare(self, name: str) -> None:
        """Play what comes before the strike, once for all points of a case."""
        case, folder = CASES[name], self._folder(name)
        folder.mkdir()
        asks = ({"id": f"job-{number}", "prompt": f"Say {number}."} for number in range(JOBS))
        lines = [json.dumps(ask) for ask in asks]
        if case.invalid:
            lines.insert(3, '{"id": "bad", "prompt": 3}')
        (folder / "jobs.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
        if case.anew:
            return
        with self._server() as taken:
            self._play_before(taken, name, folder)
        if case.before:
            case.change(folder / "jobs.results.jsonl")

    def _play_before(self, taken: Server, name: str, folder: Path) -> None:
        case = CASES[name]
        for options in case.options_before():
            run = taken.run(folder, case, options)
            self.report.demand(run.code in case.codes_before, f"{name}: before the strike: {run}")

    def _every(self, asked: tuple[str, str]) -> None:
        for at in range(1, _MOST_POINTS):
            if not self._strike((*asked, at)):
                return
        self.report.demand(False, f"{asked}: no end of points")

    def _strike(self, asked: tuple[str, str, int]) -> bool:
        """Strike once and judge; False where the run has fewer points."""
        name, how, at = asked
        folder = self.folder / f"{self._folder(name).name}-{how}-{at}"
        shutil.copytree(self._folder(name), folder, symlinks=True)
        point = Point(case=CASES[name], folder=folder)
        with self._server() as taken:
            if point.case.anew:
                self._play_before(taken, name, folder)
            run = point.strike(taken, how, at)
            point.finish(taken)
        self.ends[run.code] += 1
        self.points[how] += run.fired
        for what in point.broken:
            self.report.demand(False, f"{name}, {how} at {at} ({run.what}): {what}")
        if not point.broken:
            shutil.rmtree(folder)
        return run.fired

    @contextmanager
    def _server(self) -> Iterator[Server]:
        taken = self.free.get()
        try:
            yield taken
        finally:
            self.free.put(taken)

    def _folder(self, name: str) -> Path:
        return self.folder / name.replace(", ", "-").replace(" ", "-")
