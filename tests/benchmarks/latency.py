"""Rows on answers that take a second: how long a run takes beside the least it can take."""

import json
from datetime import datetime
from functools import partial
from pathlib import Path

from tests.benchmarks.measure import spread
from tests.benchmarks.rows import Outcome, Row, Size
from tests.benchmarks.workload import asking

_ANSWER_S = 1.0


def _beside_ideal(folder: Path, size: Size, *, jobs: int, at_once: int, processes: int) -> Outcome:
    count, wide = size.jobs(jobs), size.jobs(at_once)
    ideal = count / wide * _ANSWER_S
    spans: list[float] = []
    said: list[str] = []
    with asking(folder, count, delay_s=_ANSWER_S) as here:
        for _ in range(size.rounds):
            cost = here.runner("-c", str(wide), "--processes", str(processes))
            spans.append(_span(here.results))
            said.append(f"{spans[-1]:.2f} s (ideal {ideal:.0f}), CPU {cost.cpu_s:.1f} s")
    return Outcome(ratio=spread([span / ideal for span in spans]), said=tuple(said))


def _span(results: Path) -> float:
    """Seconds from the first request to the last answer."""
    first, last = [], []
    with results.open("rb") as lines:
        for line in lines:
            record = json.loads(line)
            assert record["status"] == "succeeded", record
            first.append(record["started_at"])
            last.append(record["finished_at"])
    ended, began = datetime.fromisoformat(max(last)), datetime.fromisoformat(min(first))
    return (ended - began).total_seconds()


ROWS = tuple(
    Row(
        name=f"latency-{at_once}",
        about=f"{jobs:,} answers of 1 s at -c {at_once} --processes {processes}, beside {ideal} s",
        bound=bound,
        measure=partial(_beside_ideal, jobs=jobs, at_once=at_once, processes=processes),
    )
    for jobs, at_once, processes, ideal, bound in (
        (2_000, 500, 1, 4, 1.3),
        (8_000, 2_000, 2, 4, 1.5),
        (20_000, 5_000, 2, 4, 2.0),
    )
)
