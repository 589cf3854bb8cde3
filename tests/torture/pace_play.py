"""One play of `pace`: a simulator, one `runner` or more, and what both saw of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.processes.running import pointing_at, records, start
from tests.simulated import Endpoints, scenario_file, simulator, stats
from tests.torture.report import Report
from tests.torture.stage import Ended, end_of

CAP = 256
_BYTES_A_TOKEN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of it."""

    seen: dict[str, Any]
    """The server's own count."""
    records: list[dict[str, Any]]
    ended: list[Ended]

    @property
    def refused(self) -> float:
        """Share of the requests that were refused."""
        refused: float = self.seen["refusals"] / max(1, self.seen["requests"])
        return refused

    @property
    def used(self) -> dict[str, float]:
        """Share of what each bucket permitted from the first to the last send."""
        books = self.seen["buckets"]
        return {name: book["used"] / book["permitted"] for name, book in books.items()}

    @property
    def spans_s(self) -> float:
        """Seconds from the first to the last send."""
        sent = self.sent()
        return sent[-1] - sent[0]

    def sent(self) -> list[float]:
        """When each request was sent, in order."""
        attempts = [attempt for record in self.records for attempt in record["attempts"]]
        return sorted(datetime.fromisoformat(one["started_at"]).timestamp() for one in attempts)


@contextmanager
def server(folder: Path, scenario: str) -> Iterator[Endpoints]:
    """Run a simulator for a scenario."""
    folder.mkdir(parents=True, exist_ok=True)
    with simulator(scenario_file(folder, scenario)) as endpoints:
        yield endpoints


def play(
    folder: Path,
    endpoints: Endpoints,
    jobs: int,
    *options: str,
    model: str,
    prompt_tokens: int,
    runners: int = 1,
) -> Played:
    """Let `runners` share the jobs, each with a file of its own, and wait for them."""
    files = [folder / f"jobs-{number}.jsonl" for number in range(runners)]
    for number, path in enumerate(files):
        write_jobs(path, range(number, jobs, runners), prompt_tokens)
    env = pointing_at(endpoints)
    fixed = ("-m", model, "--max-tokens", str(CAP), "--no-response", "-q")
    processes = [start(folder, "batch", path, *fixed, *options, env=env) for path in files]
    ended = [end_of(process) for process in processes]
    return Played(
        seen=stats(endpoints),
        records=[one for path in files for one in records(path.with_suffix(".results.jsonl"))],
        ended=ended,
    )


def demand_answers(report: Report, played: Played, jobs: int) -> None:
    """Demand that every job of every process succeeded."""
    for ended in played.ended:
        report.demand(ended.code == 0, f"{ended}")
    answered = sum(1 for record in played.records if record["status"] == "succeeded")
    report.demand(answered == jobs, f"{answered} of {jobs} answered")


def write_jobs(path: Path, numbers: range, tokens: int) -> None:
    """Write jobs whose prompts have about so many tokens each."""
    with path.open("w", encoding="utf-8") as file:
        for number in numbers:
            # From 0.6 to 1.4 of the mean, without any order.
            size = int(tokens * _BYTES_A_TOKEN * (0.6 + 0.8 * (number * 7919 % 1000) / 1000))
            prompt = f"Tell me about number {number}, and more".ljust(size, ".")
            file.write(json.dumps({"id": f"job-{number:06d}", "prompt": prompt}) + "\n")
