"""One uninterrupted run with faults: what the records say was sent is what was received."""

from collections import Counter
from pathlib import Path

from tests.torture.judge import Judge
from tests.torture.kill import CONCURRENCY, SCENARIO
from tests.torture.report import Report
from tests.torture.stage import plain, stage

_MORE_FAULTS = """
[[rules]]
rate = 0.1
fault = { kind = "reset", after_tokens = 3 }
[[rules]]
rate = 0.05
fault = { kind = "garbage", status = 502 }
[[rules]]
rate = 0.05
fault = { kind = "status", status = 503 }
"""


def exact(folder: Path, *, long: bool, seed: int) -> Report:
    """Ask 5,000 jobs while a quarter of the requests fail, and count."""
    report = Report("exact")
    jobs = 5_000 if long else 100
    scenario = SCENARIO.replace("seed = 3", f"seed = {seed}") + _MORE_FAULTS
    with stage(folder, scenario, plain(jobs)) as scene:
        # So many attempts that none of the jobs is given up.
        ended = scene.batch("-c", str(CONCURRENCY), "--max-attempts", "30")
        report.demand(ended.code == 0, f"{ended}")
        found = Judge(scene.results, report).finished(scene)
        requests = scene.requests()
    noted = {record["id"]: len(record["attempts"]) for record in found}
    outcomes = Counter(a["outcome"] for record in found for a in record["attempts"])
    report.figures["outcomes"] = dict(outcomes)
    report.equal("attempts in the records", sum(noted.values()), sum(requests.values()))
    report.equal("jobs whose attempts differ", sum(1 for i in noted if noted[i] != requests[i]), 0)
    report.demand(outcomes.total() > jobs * 1.1, "there were hardly any faults")
    return report
