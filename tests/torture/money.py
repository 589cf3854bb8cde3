"""`--max-cost`: never above the limit by the server's own count, and hardly below it."""

import json
import subprocess
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.simulated import stats, wait_for_stats
from tests.torture.report import Report
from tests.torture.stage import Stage, stage

INPUT_USD, OUTPUT_USD = 0.25e-6, 2.00e-6
"""What a token of gpt-5-mini costs, by the price list that comes with the package."""
_KILLS = 8
_HIDDEN = 200
"""Tokens of a server's own words that a bound allows for, and bytes of JSON around a prompt."""
_AROUND = 60

_SCENARIO = """
seed = {seed}
[answer]
min_tokens = 2
mean_tokens = {mean}
max_tokens = {cap}
[speed]
first_token_s = 0.02
tokens_per_second = 20000
[[rules]]
rate = 0.02
attempts = 1
fault = {{ kind = "rate_limit", retry_after_s = 0.01 }}
"""


def money(folder: Path, *, long: bool, seed: int) -> Report:
    """Ask 10,000 jobs of random length with money for a part of them; 20 times in the long form."""
    report = Report("money")
    for turn in range(20 if long else 1):
        jobs, limit, cap, mean = (10_000, 1.00, 2_000, 300) if long else (500, 0.10, 180, 150)
        _play(folder / str(turn), report, seed + turn, jobs, limit, cap, mean)
    if long:
        _killed(folder / "killed", report, seed)
    return report


def _killed(folder: Path, report: Report, seed: int) -> None:
    """Kill run after run over one file: what they spend together stays below the limit."""
    chance, limit = Random(seed), 0.30
    scenario = _SCENARIO.format(seed=seed, mean=300, cap=600).replace("20000", "2000")
    with stage(folder, scenario, [f"Tell me about {n}." for n in range(2_000)]) as scene:
        options = ("--max-tokens", "600", "--max-cost", str(limit))
        for _ in range(_KILLS):
            process = scene.start(*options)
            with suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(1.5, 3.0))
            process.kill()
            process.communicate()
        ended = scene.batch(*options)
        report.demand(ended.code == 3, f"{ended}")
        report.most(f"spent over {_KILLS} kills", _spent(scene)[0], limit)


def _play(
    folder: Path, report: Report, seed: int, jobs: int, limit: float, cap: int, mean: int
) -> None:
    chance = Random(seed)
    prompts = [f"Tell me about {n}. {'word ' * chance.randrange(20)}" for n in range(jobs)]
    longest = max(map(len, prompts))
    worst = (longest + _HIDDEN + _AROUND) * INPUT_USD + cap * OUTPUT_USD
    report.most("worst case, share of the limit", worst / limit, 0.005)
    scenario = _SCENARIO.format(seed=seed, mean=mean, cap=cap)
    with stage(folder, scenario, prompts) as scene:
        options = ("--max-tokens", str(cap), "--max-cost", str(limit))
        summary = folder / "summary.json"
        ended = scene.batch(*options, "--summary-json", summary)
        report.demand(ended.code == 3, f"{ended}")
        spent, requests = _spent(scene)
        report.most(f"spent, seed {seed}", spent, limit)
        report.demand(spent >= limit - 2 * worst, f"only {spent} was spent, seed {seed}")
        told = json.loads(summary.read_text())
        report.demand(abs(told["cost_usd"] - spent) < 1e-9, f"the run says {told['cost_usd']}")
        again = scene.batch(*options)
        report.demand(again.code == 3, f"{again}")
        report.equal(f"requests of a second run, seed {seed}", _spent(scene)[1] - requests, 0)


def _spent(scene: Stage) -> tuple[float, int]:
    """Give USD and requests as the server counted them, once none is under way."""
    wait_for_stats(scene.endpoints, lambda seen: seen["in_flight"] == 0, patience_s=60)
    seen = stats(scene.endpoints)
    used = Counter(seen["by_model"]["gpt-5-mini"])
    asked = used["input_tokens"] + used["broken_input_tokens"]
    answered = used["output_tokens"] + used["broken_output_tokens"]
    return asked * INPUT_USD + answered * OUTPUT_USD, seen["requests"]
