"""A folder with jobs, a simulator, and the real `runner batch` between them."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runner.simulator.ask import Ask, hash_body, read_ask
from runner.simulator.loading import load
from runner.simulator.plan import make_plan
from runner.simulator.scenario import Scenario
from tests.processes.running import pointing_at, start
from tests.simulated import Endpoints, scenario_file, simulator, stats, wait_for_stats

MODEL = "gpt-5-mini"
PATIENCE_S = 1800


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A process that has ended."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where one harness plays."""

    folder: Path
    endpoints: Endpoints
    scenario: Scenario
    asks: dict[str, Ask]
    """What each job asks, by its id, in the order of the file."""

    @property
    def jobs(self) -> Path:
        """The jobs file."""
        return self.folder / "jobs.jsonl"

    @property
    def results(self) -> Path:
        """The results file, where none other is named."""
        return self.folder / "jobs.results.jsonl"

    def start(self, *options: str | Path) -> subprocess.Popen[bytes]:
        """Start a batch."""
        env = pointing_at(self.endpoints)
        return start(self.folder, "batch", self.jobs, "-m", f"openai/{MODEL}", *options, env=env)

    def batch(self, *options: str | Path) -> Ended:
        """Run a batch to its end."""
        return end_of(self.start(*options))

    def requests(self) -> dict[str, int]:
        """Count the requests by job, as the simulator saw them, once none is under way."""
        wait_for_stats(self.endpoints, lambda seen: seen["in_flight"] == 0, patience_s=60)
        seen = stats(self.endpoints)["by_hash"]
        counts = {job_id: seen.pop(ask.body_hash, 0) for job_id, ask in self.asks.items()}
        assert not seen, "the simulator was asked what no job asks"
        return counts

    def answers(self, job_id: str, requests: int) -> int:
        """Count those of a job's first requests that the scenario lets succeed."""
        ask = self.asks[job_id]
        plans = (make_plan(self.scenario, ask, attempt + 1) for attempt in range(requests))
        return sum(1 for plan in plans if plan.fault is None)


@contextmanager
def stage(folder: Path, scenario: str, prompts: list[str]) -> Iterator[Stage]:
    """Write the jobs, one a prompt, and run a simulator for them."""
    folder.mkdir(parents=True, exist_ok=True)
    path = scenario_file(folder, scenario)
    asks: dict[str, Ask] = {}
    with (folder / "jobs.jsonl").open("w", encoding="utf-8") as file:
        for number, prompt in enumerate(prompts):
            job_id = f"job-{number:06d}"
            file.write(json.dumps({"id": job_id, "prompt": prompt}) + "\n")
            asks[job_id] = _ask(prompt)
    with simulator(path) as endpoints:
        yield Stage(folder=folder, endpoints=endpoints, scenario=load(path), asks=asks)


def plain(count: int) -> list[str]:
    """Make so many prompts."""
    return [f"Tell me something about the number {number}." for number in range(count)]


def end_of(process: subprocess.Popen[bytes]) -> Ended:
    """Wait for a process and take what it said."""
    stdout, stderr = process.communicate(timeout=PATIENCE_S)
    return Ended(
        code=process.returncode,
        stdout=stdout.decode("utf-8", "replace"),
        stderr=stderr.decode("utf-8", "replace"),
    )


def _ask(prompt: str) -> Ask:
    body = {"model": MODEL, "messages": [{"role": "user", "content": prompt}]}
    ask = read_ask("chat", body)
    assert ask.body_hash == hash_body(body)
    return ask
