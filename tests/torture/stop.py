"""SIGTERM, SIGINT and SIGHUP at random moments: a drain loses nothing and asks nothing twice."""

import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

from tests.torture.judge import Judge
from tests.torture.report import Report
from tests.torture.stage import Stage, end_of, plain, stage

# No faults: every request beyond one a job is one too many.
SCENARIO = """
description = "random latencies"
[answer]
min_tokens = 8
mean_tokens = 20
max_tokens = 60
[speed]
first_token_s = 0.1
jitter = 0.9
tokens_per_second = 4000
"""
CONCURRENCY = 32
_RATE = 250.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def stop(folder: Path, *, long: bool, seed: int) -> Report:
    """Stop 60 runs over 6,000 jobs, some of them before they have begun."""
    report, chance = Report("stop"), random.Random(seed)
    jobs, stops = (6_000, 60) if long else (240, 3)
    with stage(folder, SCENARIO, plain(jobs)) as scene:
        judge = Judge(scene.results, report)
        used: Counter[str] = Counter()
        while used.total() < stops:
            number = _SIGNALS[used.total() % len(_SIGNALS)]
            left = len(scene.asks) - len(judge.answers)
            lasts_s = chance.uniform(0, 2 * left / _RATE / (stops - used.total() + 1))
            early = used.total() % 5 == 4
            process = scene.start("-c", str(CONCURRENCY))
            _wait(scene, process, chance.uniform(0, 1.0) if early else lasts_s, early=early)
            process.send_signal(number)
            ended = end_of(process)
            judge.look()
            wanted = {128 + number} if len(judge.answers) < jobs else {0, 128 + number}
            report.demand(ended.code in wanted, f"after {number.name}: {ended}")
            report.demand(not judge.unresolved(), f"after {number.name} something was still out")
            used[number.name] += 1
        ended = scene.batch("-c", str(CONCURRENCY))
        report.demand(ended.code == 0, f"the last run: {ended}")
        found = judge.finished(scene)
        requests = scene.requests()
    report.figures["signals"] = dict(used)
    report.equal("requests", sum(requests.values()), jobs)
    report.equal("repeated requests", sum(1 for count in requests.values() if count != 1), 0)
    report.equal("attempts in the records", sum(len(r["attempts"]) for r in found), jobs)
    return report


def _wait(scene: Stage, process: subprocess.Popen[bytes], seconds: float, *, early: bool) -> None:
    size = scene.results.stat().st_size if scene.results.exists() else 0
    while not early and process.poll() is None:
        if scene.results.exists() and scene.results.stat().st_size != size:
            break
        time.sleep(0.002)  # the file of another process can only be asked for
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return
