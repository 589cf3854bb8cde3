"""kill -9 at random moments, with one process and two, over one file until it is finished."""

import random
import re
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.torture.judge import Judge, Send, judge_repeats
from tests.torture.report import Report
from tests.torture.stage import Ended, Stage, end_of, plain, stage

# Latencies from 10 to 190 ms, and about 5 % of requests fail in passing ways.
SCENARIO = """
description = "random latencies, 5 % faults"
seed = 3
[answer]
min_tokens = 8
mean_tokens = 20
max_tokens = 60
[speed]
first_token_s = 0.1
jitter = 0.9
tokens_per_second = 4000
[[rules]]
rate = 0.015
fault = { kind = "status", status = 500 }
[[rules]]
rate = 0.01
fault = { kind = "overloaded" }
[[rules]]
rate = 0.01
fault = { kind = "rate_limit", retry_after_s = 0.1 }
[[rules]]
rate = 0.01
fault = { kind = "reset" }
[[rules]]
rate = 0.005
fault = { kind = "close", after_tokens = 5 }
"""
CONCURRENCY = 32
MOST_OUT = 2 * CONCURRENCY
"""A worker sends its next request while its last answer waits for a disk that may be slow."""
USUALLY_OUT = CONCURRENCY * 1.25
"""As a rule it does not wait: a buffer in between shows here."""
_TOLD = re.compile(r"([\d,]+) (?:were|was) on (?:their|its) way when the last run was killed")


@dataclass(slots=True)
class Killer:
    """Starts the batch and kills it, while it counts what was out."""

    stage: Stage
    report: Report
    judge: Judge
    chance: random.Random
    kills: int
    unresolved: set[Send] = field(default_factory=set)
    done: int = 0
    early: int = 0
    told: int = 0
    cut: int = 0
    out: list[int] = field(default_factory=list)
    starting_s: float = 1.0
    rate: float = 250.0

    def work(self) -> None:
        """Kill as often as wanted; the jobs are spread over the kills."""
        while self.done < self.kills:
            out_before = {job_id for job_id, _ in self.judge.unresolved()}
            processes = self.chance.choice("12")
            process = self.stage.start("-c", str(CONCURRENCY), "--processes", processes)
            killed = self._kill(process)
            ended = end_of(process)
            self.judge.look()
            self._hold_to_what_was_told(ended, len(out_before))
            if not killed:
                self.report.demand(ended.code == 0, f"ended by itself: {ended}")
                return
            self.done += 1
            self._count_what_was_out()

    def finish(self) -> None:
        """Let it come to its end."""
        out_before = len(self.judge.unresolved())
        ended = self.stage.batch("-c", str(CONCURRENCY))
        self.report.demand(ended.code == 0, f"the last run: {ended}")
        self._hold_to_what_was_told(ended, out_before)

    def _kill(self, process: subprocess.Popen[bytes]) -> bool:
        began, size = time.monotonic(), _size(self.stage.results)
        if self.done and self.chance.random() < 0.15:
            self.early += 1
            return _kill_within(process, self.chance.uniform(0, self.starting_s))
        while _size(self.stage.results) == size and process.poll() is None:
            time.sleep(0.002)  # the file of another process can only be asked for
        self.starting_s = time.monotonic() - began
        before = len(self.judge.answers)
        left = len(self.stage.asks) - before
        fair_s = left / self.rate / (self.kills - self.done + 1)
        lasts_s = self.chance.uniform(0, 2 * fair_s)
        killed = _kill_within(process, lasts_s)
        self.judge.look()
        if lasts_s > 0.2:
            self.rate = max(50.0, (len(self.judge.answers) - before) / lasts_s)
        return killed

    def _count_what_was_out(self) -> None:
        out = self.judge.unresolved()
        new = out - self.unresolved
        self.out.append(len(new))
        self.unresolved |= out
        if self.chance.random() < 0.2:
            self._tear()

    def _tear(self) -> None:
        """Leave a part of a record at the end, as a kill inside of `write` would."""
        lines = list(self.judge.answers.values())
        if lines:
            line = self.chance.choice(lines)
            with self.stage.results.open("ab") as file:
                file.write(line[: self.chance.randrange(1, len(line) - 1)])
            self.judge.look()
            self.cut += 1

    def _hold_to_what_was_told(self, ended: Ended, out: int) -> None:
        found = _TOLD.search(ended.stderr)
        if found is not None:
            self.told += 1
            said = int(found[1].replace(",", ""))
            self.report.demand(said == out, f"{out} were out, {said} were told")
        elif "to do" in ended.stderr:
            self.report.demand(out == 0, f"{out} were out, and nothing was told")


def kill(folder: Path, *, long: bool, seed: int) -> Report:
    """Kill 200 times over 20,000 jobs, a tenth of the times while the file is put in order."""
    report = Report("kill")
    jobs, kills, orderings = (20_000, 185, 20) if long else (240, 7, 1)
    with stage(folder, SCENARIO, plain(jobs)) as scene:
        chance = random.Random(seed)
        killer = Killer(
            stage=scene,
            report=report,
            judge=Judge(scene.results, report),
            chance=chance,
            kills=kills,
        )
        killer.work()
        killer.finish()
        found = killer.judge.finished(scene)
        judge_repeats(report, scene, found, killer.unresolved)
        report.most("requests out at the kills", len(killer.unresolved), CONCURRENCY * killer.done)
        report.most("most out at one kill", max(killer.out), MOST_OUT)
        working = [out for out in killer.out if out]
        report.most("median out at a kill", median(working), USUALLY_OUT)
        ordered = _kill_while_ordering(scene, report, chance, orderings)
    report.figures["kills"] = killer.done + ordered
    report.figures["of these while starting"] = killer.early
    report.figures["of these while ordering"] = ordered
    report.figures["times told how many were out"] = killer.told
    report.figures["torn ends"] = killer.cut
    report.demand(killer.done >= kills * 0.7, f"only {killer.done} kills")
    return report


def _kill_while_ordering(stage: Stage, report: Report, chance: random.Random, kills: int) -> int:
    """Shuffle the finished file and kill the run that puts it in order again."""
    finished = stage.results.read_bytes()
    lines = finished.splitlines(keepends=True)

    def shuffle() -> None:
        stage.results.write_bytes(b"".join(chance.sample(lines, len(lines))))

    lasts_s = 1.0
    done = tries = 0
    while done < kills and tries < 3 * kills:
        tries += 1
        shuffle()
        process, began = stage.start(), time.monotonic()
        if _kill_within(process, chance.uniform(lasts_s * 0.3, lasts_s)):
            done += 1
        else:
            lasts_s = time.monotonic() - began
        process.communicate()
        kept = stage.results.read_bytes().splitlines(keepends=True)
        report.demand(sorted(kept) == sorted(lines), "lines changed while they were put in order")
    ended = stage.batch()
    report.demand(ended.code == 0, f"putting in order: {ended}")
    report.demand(stage.results.read_bytes() == finished, "the order is not the finished one")
    return done


def _kill_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    return process.wait() == -signal.SIGKILL


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
