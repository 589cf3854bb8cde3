"""Jobs whose first two attempts fail: all succeed, no later than the failures make necessary."""

import random
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from runner.engine.retry import RetryPolicy
from tests.torture.judge import Judge
from tests.torture.report import Report
from tests.torture.stage import stage

_SLACK = 1.5
_FIRST_TOKEN_S = 0.1
_TOKENS_PER_SECOND = 1000.0
_RETRY_AFTER_S = 0.5
_FAILURES = 2
SHARES = {"reset": 0.10, "cut": 0.05, "stall": 0.05, "500": 0.05, "429": 0.05}
"""How many of the jobs meet which fault; each name is a word in the prompts of its jobs."""
SCENARIO = f"""
description = "the first two attempts of chosen jobs fail"
[answer]
min_tokens = 8
mean_tokens = 20
max_tokens = 60
[speed]
first_token_s = {_FIRST_TOKEN_S}
jitter = 0.0
tokens_per_second = {_TOKENS_PER_SECOND}
[[rules]]
match = "fault reset"
attempts = {_FAILURES}
fault = {{ kind = "reset" }}
[[rules]]
match = "fault cut"
attempts = {_FAILURES}
fault = {{ kind = "reset", after_tokens = 5 }}
[[rules]]
match = "fault stall"
attempts = {_FAILURES}
fault = {{ kind = "stall" }}
[[rules]]
match = "fault 500"
attempts = {_FAILURES}
fault = {{ kind = "status", status = 500 }}
[[rules]]
match = "fault 429"
attempts = {_FAILURES}
fault = {{ kind = "rate_limit", retry_after_s = {_RETRY_AFTER_S} }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """How long the work has to take, from what the scenario forces. Seconds."""

    jobs: Counter[str]
    concurrency: int
    deadline_s: float

    @property
    def chain_s(self) -> float:
        """The longest chain that one job is forced through: deadlines, waits and the answer."""
        policy = RetryPolicy()
        back_off_s = sum(policy.base_s * 2.0**n for n in range(_FAILURES))
        stall_s = _FAILURES * self.deadline_s + back_off_s
        refused_s = _FAILURES * _RETRY_AFTER_S * 1.1 + policy.base_s
        return max(stall_s, refused_s) + self.answer_s

    @property
    def answer_s(self) -> float:
        """The longest answer."""
        return _FIRST_TOKEN_S + 60 / _TOKENS_PER_SECOND

    @property
    def rest_s(self) -> float:
        """All time in which a place is held by a request, less the one chain."""
        held_s = self.answer_s * self.jobs.total()
        held_s += self.jobs["stall"] * _FAILURES * self.deadline_s
        held_s += self.jobs["cut"] * _FAILURES * self.answer_s
        return held_s - self.answer_s - _FAILURES * self.deadline_s

    @property
    def wall_s(self) -> float:
        """The bound."""
        return _SLACK * (self.chain_s + self.rest_s / self.concurrency)


def faults(folder: Path, *, long: bool, seed: int) -> Report:
    """Ask 2,000 jobs of which three in ten fail twice."""
    report = Report("faults")
    total, concurrency, deadline_s = (2_000, 32, 2.0) if long else (120, 24, 1.0)
    met = {name: round(total * share) for name, share in SHARES.items()}
    words = [f"fault {name}" for name, number in met.items() for _ in range(number)]
    words += ["no fault"] * (total - len(words))
    random.Random(seed).shuffle(words)
    prompts = [f"{word}, number {number}" for number, word in enumerate(words)]
    with stage(folder, SCENARIO, prompts) as scene:
        ended = scene.batch("-c", str(concurrency), "--attempt-timeout", str(deadline_s))
        report.demand(ended.code == 0, f"{ended}")
        found = Judge(scene.results, report).finished(scene)
        requests = scene.requests()
    for record, word in zip(found, words, strict=True):
        wanted = 1 if word == "no fault" else 1 + _FAILURES
        made = (len(record["attempts"]), requests[record["id"]])
        report.demand(made == (wanted, wanted), f"{word}: {made} attempts, not {wanted}")
    bound = Bound(
        jobs=Counter(met) + Counter(none=words.count("no fault")),
        concurrency=concurrency,
        deadline_s=deadline_s,
    )
    report.figures["jobs that met a fault twice"] = met
    report.figures["longest forced chain, s"] = round(bound.chain_s, 1)
    report.figures["rest over concurrency, s"] = round(bound.rest_s / concurrency, 1)
    # Without the start, which says nothing of retries and much of what else the machine does.
    report.most("seconds from the first request to the last record", _span(found), bound.wall_s)
    return report


def _span(records: list[dict[str, Any]]) -> float:
    began = min(record["attempts"][0]["started_at"] for record in records)
    ended = max(record["finished_at"] for record in records)
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()
