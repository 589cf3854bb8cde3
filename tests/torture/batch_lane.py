"""kill -9 of the batch lane at random moments, from the first upload to the last record."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.processes.running import command, environment, lines_of, pointing_at
from tests.simulated import Endpoints, scenario_file, simulator, stats
from tests.torture import hasty, measured
from tests.torture.report import Report

# Lists lag, new batches answer 404 at first, calls fail now and then, answers of creations too.
SCENARIO = """
description = "batch services on a bad day"
[answer]
min_tokens = 4
mean_tokens = 8
max_tokens = 16
[batch]
validating_s = 0.05
processing_s = 0.3
finalizing_s = 0.1
hidden_s = 0.1
listing_lag_s = 0.5
lost_creates = 3
"""
FAILING = """
[[rules]]
route = "{route}"
rate = 0.1
fault = {{ kind = "{kind}"{more} }}
"""
ROUTES = (
    ("files.create", "status", ", status = 500"),
    ("batches.retrieve", "status", ", status = 503"),
    ("files.content", "truncate", ""),
    ("messages.batches.retrieve", "rate_limit", ", retry_after_s = 0.1"),
    ("messages.batches.results", "close", ""),
)
MODELS = ("openai/gpt-5-mini", "openai/gpt-5-nano", "openai-responses/gpt-5-mini")
ANTHROPIC = "anthropic/claude-haiku-4-5"
BATCHES = len(MODELS) + 1
FAST = SCENARIO.replace("listing_lag_s = 0.5", "").replace("lost_creates = 3", "")


@dataclass(slots=True, kw_only=True)
class Killer:
    """Plays round after round, each with jobs of its own, until it has killed often enough."""

    folder: Path
    endpoints: Endpoints
    report: Report
    chance: random.Random
    kills: int
    jobs: int
    """Of a round."""
    done: int = 0
    rounds: int = 0
    after: Counter[str] = field(default_factory=Counter)
    """Where the kills struck, by what was on the disk."""
    starting_s: float = 1.0
    """From the start of a run to its first step at a provider."""
    span_s: float = 1.5
    """From there to its end, more or less."""

    def work(self) -> None:
        """Kill, and see each round come to its end."""
        while self.done < self.kills:
            name = f"round-{self.rounds}"
            self._write(self.folder / f"{name}.jsonl")
            while self.done < self.kills and self._kill(name):
                self._judge_log(name)
            self._finish(name)
            self.rounds += 1

    def _write(self, path: Path) -> None:
        with path.open("w", encoding="utf-8") as file:
            for number in range(self.jobs):
                model = (*MODELS, ANTHROPIC)[number % BATCHES]
                ask = f"Say {number} in {path.stem}."
                line = {"id": f"job-{number}", "prompt": ask, "model": model}
                file.write(json.dumps(line) + "\n")

    def _kill(self, name: str) -> bool:
        """Start a run and kill it; False where it ended first."""
        began, begun = time.monotonic(), bool(self._phases(name))
        process = self._start(name)
        while not begun and not self._phases(name) and process.poll() is None:
            time.sleep(0.002)  # the files of another process can only be asked for
        if begun:
            lasts_s = self.starting_s * self.chance.uniform(0.7, 1.0)
        else:
            self.starting_s = time.monotonic() - began
            lasts_s = 0.0
        try:
            process.wait(lasts_s + self.chance.uniform(0, self.span_s))
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        if process.returncode != -9:
            self.report.demand(process.returncode == 0, f"{name} ended: {process.returncode}")
            return False
        self.done += 1
        self.after[self._stage(name)] += 1
        return True

    def _finish(self, name: str) -> None:
        process = self._start(name)
        _, said = process.communicate()
        self.report.demand(process.returncode == 0, f"{name}: {process.returncode}: {said!r}")
        records = self._judge_log(name)
        self.report.demand(len(records) == self.jobs, f"{name}: {len(records)} records")
        ids = [record["id"] for record in records]
        self.report.demand(ids == [f"job-{n}" for n in range(self.jobs)], f"{name}: the order")
        statuses = Counter(record["status"] for record in records)
        self.report.demand(statuses == {"succeeded": self.jobs}, f"{name}: {statuses}")
        left = self.folder / f"{name}.results.jsonl.batches"
        self.report.demand(not left.exists(), f"{name}: its chunks are still there")

    def _judge_log(self, name: str) -> list[dict[str, object]]:
        """Read what is recorded by now: no row may be there twice."""
        path = self.folder / f"{name}.results.jsonl"
        data = path.read_bytes() if path.exists() else b""
        records = [json.loads(line) for line in data.split(b"\n")[:-1]]
        twice = [i for i, n in Counter(record["id"] for record in records).items() if n > 1]
        self.report.demand(not twice, f"{name}: recorded twice: {twice[:5]}")
        return records

    def _stage(self, name: str) -> str:
        phases = self._phases(name)
        recorded = lines_of(self.folder / f"{name}.results.jsonl")
        if not phases:
            return "none left"
        return f"{min(phases)}{', some recorded' if recorded else ''}"

    def _phases(self, name: str) -> list[str]:
        folder = self.folder / f"{name}.results.jsonl.batches"
        found = []
        for path in folder.glob("*.chunk.json") if folder.exists() else ():
            with suppress(OSError):  # gone by now
                found.append(str(json.loads(path.read_bytes())["phase"]))
        return found

    def _start(self, name: str) -> "subprocess.Popen[bytes]":
        words = [sys.executable, "-m", hasty.__name__, "batch", f"{name}.jsonl"]
        root = Path(__file__).parents[2]
        return subprocess.Popen(
            [*words, "--lane", "batch"],
            cwd=self.folder,
            env=environment(self.folder, {**pointing_at(self.endpoints), "PYTHONPATH": str(root)}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


def batch_lane(folder: Path, *, long: bool, seed: int) -> Report:
    """Kill 50 times; in the long form also send 120,000 jobs in batches."""
    report = Report("batch_lane")
    folder.mkdir(parents=True, exist_ok=True)
    rules = "".join(FAILING.format(route=r, kind=k, more=m) for r, k, m in ROUTES)
    with simulator(scenario_file(folder, f"seed = {seed}\n{SCENARIO}{rules}")) as endpoints:
        killer = Killer(
            folder=folder,
            endpoints=endpoints,
            report=report,
            chance=random.Random(seed),
            kills=50 if long else 5,
            jobs=400 if long else 80,
        )
        killer.work()
        seen = stats(endpoints)["batches"]
    rows = Counter(seen["by_content"].values())
    report.figures["kills"] = killer.done
    report.figures["struck with chunks"] = dict(killer.after)
    report.equal("rows by how often they were submitted", rows, {1: killer.rounds * killer.jobs})
    report.equal("batches created", seen["created"], killer.rounds * BATCHES)
    report.figures["creations whose answer was lost"] = seen["lost_creates"]
    if long:
        _many(folder / "many", report, "openai", 3)
        _many(folder / "many-anthropic", report, "anthropic", 2)
    return report


def _many(folder: Path, report: Report, provider: str, batches: int) -> None:
    """Send 1,000 and then 120,000 small jobs: memory hardly grows, and batches are as few."""
    few, _ = _peak_kb(folder / "few", report, provider, 1_000)
    many, created = _peak_kb(folder / "many", report, provider, 120_000)
    report.figures[f"peak RSS with {provider}, MB"] = [few // 1024, many // 1024]
    report.most(f"ratio with {provider}", many / few, 1.5)
    report.equal(f"batches of 120,000 jobs with {provider}", created, batches)


def _peak_kb(folder: Path, report: Report, provider: str, count: int) -> tuple[int, int]:
    """Give the peak of memory, and how many batches were created."""
    folder.mkdir(parents=True)
    with (folder / "jobs.jsonl").open("w", encoding="utf-8") as file:
        for number in range(count):
            file.write(json.dumps({"id": f"job-{number}", "prompt": f"Say {number}."}) + "\n")
    with simulator(scenario_file(folder, FAST)) as endpoints:
        model = "gpt-5-mini" if provider == "openai" else "claude-haiku-4-5"
        jobs = folder / "jobs.jsonl"
        lane = command("batch", jobs, "-m", f"{provider}/{model}", "--lane", "batch", "-q")
        done = subprocess.run(
            [sys.executable, "-m", measured.__name__, *lane],
            cwd=Path(__file__).parents[2],
            env=environment(folder, pointing_at(endpoints)),
            capture_output=True,
            text=True,
            check=False,
        )
        seen = stats(endpoints)["batches"]
    found = json.loads(done.stdout)
    report.demand(found["code"] == 0, f"{found}: {done.stderr}")
    recorded = lines_of(folder / "jobs.results.jsonl")
    report.demand(recorded == count, f"{recorded} records of {count}")
    return int(found["peak_kb"]), int(seen["created"])
