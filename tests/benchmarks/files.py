"""Rows on files: what is recorded and what is asked, read beside the bare reading of the lines."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.measure import interleaved, ratios, spread
from tests.benchmarks.rows import Outcome, Row, Size
from tests.benchmarks.workload import HERE, ROOT, asking, write_jobs, write_results

_LINES = 1_000_000
_WORTH = 25_000
"""What is much smaller has no checkpoint."""


def _timed(step: str, path: Path) -> Callable[[], float]:
    def run() -> float:
        done = subprocess.run(
            [sys.executable, str(HERE / "timed.py"), step, str(path)],
            env={"PYTHONPATH": str(ROOT), "HOME": str(path.parent)},
            cwd=path.parent,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{step}: {done.stderr.decode()}")
        return float(json.loads(done.stdout)["cpu_s"])

    return run


def _scan(folder: Path, size: Size) -> Outcome:
    results, count = folder / "jobs.results.jsonl", size.jobs(_LINES)
    write_results(results, count)
    found = interleaved(
        {"scan": _timed("scan", results), "lines": _timed("lines", results)}, size.rounds
    )
    said = tuple(f"{name}: CPU {spread(costs)} s" for name, costs in found.items())
    return Outcome(ratio=ratios(*found.values()), said=(f"{count} records of 1.4 kB", *said))


def _report(folder: Path, size: Size) -> Outcome:
    results, count = folder / "jobs.results.jsonl", size.jobs(_LINES)
    write_results(results, count)
    costs = [_timed("report", results)() for _ in range(size.rounds)]
    return Outcome(
        ratio=spread([count / cost for cost in costs]),
        said=(f"{count} records of 1.4 kB: CPU {spread(costs)} s",),
    )


def _checkpoint(folder: Path, size: Size) -> Outcome:
    """Let a run that has nothing to do leave its checkpoint, and load that."""
    count = max(_WORTH, size.jobs(_LINES))
    with asking(folder, count) as here:
        write_results(here.results, count, jobs=here.jobs)
        here.again()  # puts the file in order
        here.again()
        costs = [_timed("load", here.results)() for _ in range(size.rounds)]
    return Outcome(ratio=spread(costs), said=(f"{count} records; the figure is CPU seconds",))


def _check(folder: Path, size: Size) -> Outcome:
    jobs, count = folder / "jobs.jsonl", size.jobs(_LINES)
    write_jobs(jobs, count)
    found = interleaved(
        {"decode": _timed("decode", jobs), "check": _timed("check", jobs)}, size.rounds
    )
    said = tuple(f"{name}: CPU {spread(costs)} s" for name, costs in found.items())
    # Lines per second of the one by those of the other: the seconds the other way round.
    return Outcome(ratio=ratios(*found.values()), said=(f"{count} jobs of 300 bytes", *said))


ROWS = (
    Row(
        name="scan",
        about="reading 1M records for a resume beside reading the lines",
        bound=5.0,
        measure=_scan,
    ),
    Row(
        name="report",
        about="summing up 1M records, records a CPU second",
        bound=150_000.0,
        measure=_report,
        at_least=True,
    ),
    Row(name="checkpoint", about="the same from the checkpoint", bound=0.2, measure=_checkpoint),
    Row(
        name="check",
        about="checking 1M native jobs, lines a CPU second beside a bare decode",
        bound=0.3,
        measure=_check,
        at_least=True,
    ),
)
