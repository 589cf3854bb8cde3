"""Rows on what a request costs: beside a plain script, beside the SDK alone, on two processes."""

import json
import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.benchmarks.measure import Cost, interleaved, ratios, spread
from tests.benchmarks.rows import Outcome, Row, Size
from tests.benchmarks.workload import ROOT, Api, asking


def _beside_plain(
    folder: Path, size: Size, *, api: Api, jobs: int, at_once: int, delay_s: float
) -> Outcome:
    count = size.jobs(jobs)
    with asking(folder, count, delay_s=delay_s, api=api) as here:
        found = interleaved(
            {
                "runner": lambda: here.runner("-c", str(at_once)),
                "plain script": lambda: here.plain(at_once),
            },
            size.rounds,
        )
    return Outcome(
        ratio=ratios(*([cost.cpu_s for cost in costs] for costs in found.values())),
        said=tuple(_cpu_line(name, costs, count) for name, costs in found.items()),
    )


def _cpu_line(name: str, costs: list[Cost], jobs: int) -> str:
    each = spread([1_000 * cost.cpu_s / jobs for cost in costs])
    rate = spread([jobs / cost.wall_s for cost in costs])
    peak = max(cost.peak_kb for cost in costs) // 1_024
    return f"{name}: CPU {each} ms a job, {rate.median:.0f} jobs/s, {peak} MiB"


def _slope(folder: Path, size: Size) -> Outcome:
    few, many = size.jobs(3_000), size.jobs(30_000)
    with asking(folder / "few", few) as short, asking(folder / "many", many) as long:
        found = interleaved(
            {
                "few": lambda: short.runner("-c", "64").cpu_s,
                "many": lambda: long.runner("-c", "64").cpu_s,
                "floor": lambda: _floor_ms(size.jobs(3_000)),
            },
            size.rounds,
        )
    each = [
        1_000 * (more - less) / (many - few)
        for more, less in zip(found["many"], found["few"], strict=True)
    ]
    said = (
        f"runner: {spread(each)} ms a job between {few} and {many} jobs",
        f"the SDK alone: {spread(found['floor'])} ms a request",
        f"start: {statistics.median(found['few']) - few * statistics.median(each) / 1_000:.2f} s",
    )
    return Outcome(ratio=ratios(each, found["floor"]), said=said)


def _floor_ms(requests: int) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.floor", str(requests)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return float(json.loads(done.stdout)["ms"])


def _processes(folder: Path, size: Size) -> Outcome:
    count = size.jobs(10_000)
    with asking(folder, count) as here:
        found = interleaved(
            {
                "2": lambda: here.runner("-c", "256", "--processes", "2"),
                "1": lambda: here.runner("-c", "256"),
            },
            size.rounds,
        )
    two, one = ([count / cost.wall_s for cost in costs] for costs in found.values())
    said = (
        f"two processes: {spread(two)} jobs/s of wall time, start included",
        f"one: {spread(one)} jobs/s",
    )
    return Outcome(ratio=ratios(two, one), said=said)


ROWS = (
    Row(
        name="in-flight",
        about="CPU beside AsyncOpenAI + gather + semaphore, 256 in flight, answers after 0.5 s",
        bound=0.33,
        measure=partial(_beside_plain, api="openai", jobs=10_000, at_once=256, delay_s=0.5),
    ),
    Row(
        name="immediate",
        about="the same, 64 in flight, answers at once",
        bound=0.45,
        measure=partial(_beside_plain, api="openai", jobs=3_000, at_once=64, delay_s=0.0),
    ),
    Row(
        name="anthropic",
        about="CPU beside AsyncAnthropic, 256 in flight, answers after 0.5 s",
        bound=0.50,
        measure=partial(_beside_plain, api="anthropic", jobs=10_000, at_once=256, delay_s=0.5),
    ),
    Row(
        name="slope",
        about="CPU of one more job beside the SDK's own (its post with no network)",
        bound=3.0,
        measure=_slope,
    ),
    Row(
        name="processes",
        about="jobs a second with --processes 2 beside 1",
        bound=1.35,
        measure=_processes,
        at_least=True,
    ),
)
