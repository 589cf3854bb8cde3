"""Peak memory does not grow with the number of jobs, and few jobs are in memory at a time."""

import json
import subprocess
import sys
from pathlib import Path

from tests.processes.running import command, environment, pointing_at
from tests.torture import counted, measured
from tests.torture.report import Report
from tests.torture.stage import MODEL, Stage, plain, stage

FAST = """
description = "as fast as it goes"
[answer]
min_tokens = 3
mean_tokens = 6
max_tokens = 12
[speed]
first_token_s = 0.0
tokens_per_second = 1000000
"""
TROUBLED = """
description = "four of five first requests fail or are refused"
[speed]
first_token_s = 0.01
tokens_per_second = 10000
[[rules]]
attempts = 1
rate = 0.1
fault = { kind = "rate_limit", retry_after_s = 0.3 }
[[rules]]
attempts = 1
rate = 0.7
fault = { kind = "status", status = 500 }
"""
CONCURRENCY = 32


def memory(folder: Path, *, long: bool, seed: int) -> Report:
    """Compare 200,000 jobs with 2,000, then count jobs in memory under failures and refusals."""
    report = Report("memory")
    # The fewer the jobs, the more a start that is not over weighs.
    many, few, bound = (200_000, 2_000, 1.2) if long else (1_000, 100, 1.2)
    peaks = []
    for jobs in (few, many):
        with stage(folder / str(jobs), FAST, plain(jobs)) as scene:
            peaks.append(_peak_kb(scene, report))
    report.figures["peak RSS, MB"] = {few: peaks[0] // 1024, many: peaks[1] // 1024}
    report.most("ratio", peaks[1] / peaks[0], bound)
    scenario = f"seed = {seed}\n" + TROUBLED
    with stage(folder / "troubled", scenario, plain(2_000 if long else 60)) as scene:
        _count(scene, report, 16 if long else 8)
    return report


def _peak_kb(scene: Stage, report: Report) -> int:
    done = _inside(scene, measured.__name__, *command(*_options(scene, CONCURRENCY)))
    found = json.loads(done.stdout)
    report.demand(found["code"] == 0, f"{found}: {done.stderr}")
    return int(found["peak_kb"])


def _options(scene: Stage, concurrency: int) -> list[str]:
    where = ["batch", str(scene.jobs), "-m", f"openai/{MODEL}"]
    return [*where, "-c", str(concurrency), "-q", "--max-attempts", "30"]


def _inside(scene: Stage, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=Path(__file__).parents[2],
        env=environment(scene.folder, pointing_at(scene.endpoints)),
        capture_output=True,
        text=True,
        check=False,
    )


def _count(scene: Stage, report: Report, concurrency: int) -> None:
    done = _inside(scene, counted.__name__, *_options(scene, concurrency))
    report.demand(done.returncode == 0, f"{done}")
    figures = json.loads(done.stdout)
    report.figures["looks into memory"] = figures["looks"]
    report.figures["peak of jobs waiting for another attempt"] = figures["waiting"]
    report.most("peak of jobs in memory", figures["jobs"], 2 * concurrency)
    report.demand(figures["jobs"] >= concurrency, "the count counts nothing")
    report.demand(figures["waiting"] > concurrency // 2, "hardly any job ever waited")
