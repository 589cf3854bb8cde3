"""What tests of the batch lane share: scenarios, jobs, runs, and what the simulator counted."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runner.errors import ExitCode
from tests.run.commands import batch, records, settings, write_lines
from tests.simulated import Endpoints, scenario_file, simulator_in_thread, stats

PROVIDERS = ("here", "here-responses", "here-anthropic")
MODELS = ("m1", "m2", "m3")


@contextmanager
def playing(folder: Path, text: str = "") -> Iterator[Endpoints]:
    """Run a simulator with these settings of batches."""
    path = scenario_file(folder, f"[batch]\n{text}")
    with simulator_in_thread(path) as endpoints:
        yield endpoints


def jobs(folder: Path, count: int, **extra: Any) -> Path:
    """Write so many jobs."""
    lines = [
        {"id": f"job {number}", "prompt": f"Tell me {number}.", **extra} for number in range(count)
    ]
    return write_lines(folder / "jobs.jsonl", lines)


def spread(folder: Path, count: int, provider: str = "here") -> Path:
    """Write so many jobs for three models in turn: three batches where a batch has one model."""
    lines = [
        {
            "id": f"job {number}",
            "prompt": f"Tell me {number}.",
            "model": f"{provider}/{MODELS[number % len(MODELS)]}",
        }
        for number in range(count)
    ]
    return write_lines(folder / "jobs.jsonl", lines)


def lane(endpoints: Endpoints, path: Path, provider: str = "here", **changes: Any) -> ExitCode:
    """Run the batch lane to its end."""
    return batch(endpoints, settings(path, f"{provider}/m", lane="batch", **changes))


def live(endpoints: Endpoints, path: Path, provider: str = "here", **changes: Any) -> ExitCode:
    """Run live to the end."""
    return batch(endpoints, settings(path, f"{provider}/m", **changes))


def found(path: Path) -> list[dict[str, Any]]:
    """Read the results of a job file."""
    return records(path.with_name("jobs.results.jsonl"))


def state(path: Path) -> list[Path]:
    """Give the files of what is out."""
    folder = path.with_name("jobs.results.jsonl.batches")
    return sorted(folder.iterdir()) if folder.exists() else []


def submitted(endpoints: Endpoints) -> Counter[int]:
    """Count the rows by how often the simulator got each."""
    return Counter(stats(endpoints)["batches"]["by_content"].values())


def statuses(path: Path) -> Counter[str]:
    """Count the recorded jobs by status."""
    return Counter(record["status"] for record in found(path))
