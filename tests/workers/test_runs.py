"""A run says the same by worker processes as by one, and keeps what it was told to keep."""

import json
import os
import re
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runner.config import Config, TokenPrices
from runner.errors import ExitCode
from runner.run.batch import run_batch
from runner.settings import BatchSettings
from runner.workers import crew
from tests.processes.running import PATIENCE_S, pointing_at, start
from tests.run.commands import config_for, records, settings, write_lines
from tests.simulated import (
    Endpoints,
    reset_stats,
    scenario_file,
    simulator_in_thread,
    stats,
    wait_for_stats,
)
from tests.workers.asking import children

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sees to processes by /proc")

FAULTS = {
    "status": "status = 500",
    "invalid": 'kind = "status", status = 400',
    "overloaded": "",
    "limited": 'kind = "rate_limit", retry_after_s = 0.05',
    "reset": "",
    "close": "",
    "cut": 'kind = "close", after_tokens = 3',
    "truncate": "",
    "garbage": "",
    "page": 'kind = "garbage", status = 502',
    "empty": "",
    "error_event": "",
    "broken_event": 'kind = "error_event", status = 500, form = "failed"',
    "stall": "seconds = 0.1",
}
ENDLESS = {"limited"}
"""Refusals for rate do not count as attempts."""
RULE = """
[[rules]]
match = "^{name}$"
fault = {{ {fault} }}
[[rules]]
match = "^{name} once$"
attempts = 1
fault = {{ {fault} }}
"""
HEAD = """
[answer]
min_tokens = 8
mean_tokens = 8
max_tokens = 8
[speed]
first_token_s = 0.01
jitter = 0
[[rules]]
match = "^think$"
reply = { reasoning = "Six and four make ten.", text = "10" }
[[rules]]
match = "^refuse$"
reply = { finish = "refusal", text = "No." }
[[rules]]
match = "^huge"
reply = { text = "HUGE" }
speed = { first_token_s = 0.01, tokens_per_second = 1e9 }
"""
HUGE = "x" * 3_000_000
APIS = ("openai", "openai-responses", "anthropic")
TIMES = {
    "started_at",
    "finished_at",
    "duration_s",
    "time_to_first_token_s",
    "at",
    "run",
    "created",
    "created_at",
    "completed_at",
}


def scenario() -> str:
    """Write a rule for each way to fail, always and once."""
    rules = []
    for name, fault in FAULTS.items():
        kind = fault if fault.startswith("kind") else f'kind = "{name}"'
        more = f", {fault}" if fault and not fault.startswith("kind") else ""
        rules.append(RULE.format(name=name, fault=kind + more))
    return HEAD.replace("HUGE", HUGE) + "".join(rules)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator that fails as it is told."""
    path = scenario_file(tmp_path_factory.mktemp("scenario"), scenario())
    with simulator_in_thread(path) as found:
        yield found


@pytest.fixture
def endpoints(running: Endpoints) -> Endpoints:
    """The same, counting from zero."""
    reset_stats(running)
    return running


def jobs() -> list[dict[str, Any]]:
    """Ask each API for each failure, also by a stream that nobody watches, and for odd answers."""
    found: list[dict[str, Any]] = []
    for api in APIS:
        found += [{"prompt": name} for name in FAULTS if name not in ENDLESS]
        found += [{"prompt": f"{name} once"} for name in FAULTS]
        found += [{"prompt": word} for word in ("think", "refuse", "\u2028 odd \U0001f600")]
        for job in found:
            job.setdefault("model", f"{api}/m")
    long = [
        {"prompt": name, "model": "anthropic/m"}
        for name in (*FAULTS, "plain")
        if name not in ENDLESS
    ]
    found += [{**job, "max_tokens": 60_000} for job in long]
    found.append({"prompt": "huge", "model": "openai/m"})
    return [{"id": f"job-{number:03d}", **job} for number, job in enumerate(found)]


def timeless(value: Any) -> Any:
    """Leave out what no two runs have in common."""
    if isinstance(value, dict):
        return {key: timeless(one) for key, one in value.items() if key not in TIMES}
    return [timeless(one) for one in value] if isinstance(value, list) else value


def ran(endpoints: Endpoints, wanted: BatchSettings) -> tuple[ExitCode, dict[str, Any]]:
    """Run, and give the exit code and what the simulator has seen."""
    reset_stats(endpoints)
    code = run_batch(wanted, config_for(endpoints))
    return code, stats(endpoints)


def test_the_records_are_the_same(endpoints: Endpoints, tmp_path: Path) -> None:
    """Over all faults of the simulator and all APIs, besides times; and so are the requests."""
    write_lines(tmp_path / "jobs.jsonl", jobs())
    with simulator_in_thread(scenario_file(tmp_path, scenario())) as others:
        servers = {"1": endpoints, "2": others}  # each request is to be the first of its kind
        options = ("-c", "16", "--max-attempts", "2", "-q")
        running = [
            start(
                tmp_path,
                *("batch", "jobs.jsonl", "-o", f"by-{processes}.jsonl"),
                *("--processes", processes, *options),
                env=pointing_at(server),
            )
            for processes, server in servers.items()
        ]
        said = [process.communicate(timeout=PATIENCE_S) for process in running]
        sent = [stats(server)["requests"] for server in servers.values()]
    assert [process.returncode for process in running] == [1, 1], said
    found = [
        [timeless(unported(one, server)) for one in records(tmp_path / f"by-{processes}.jsonl")]
        for processes, server in servers.items()
    ]
    for by_one, by_two in zip(*found, strict=True):
        assert by_two == by_one
    assert sent[0] == sent[1]
    kinds = Counter((one["error"] or {}).get("kind") for one in found[1])
    assert len(kinds) >= 6
    assert "internal" not in kinds
    assert max(len(one["text"] or "") for one in found[1]) == len(HUGE)


def unported(record: dict[str, Any], server: Endpoints) -> dict[str, Any]:
    """Leave out the port of a server, and the ids that it gives to each request."""
    port = server.control_url.rpartition("/")[0].rpartition(":")[2]
    text = json.dumps(record).replace(f"127.0.0.1:{port}", "HERE")
    told: dict[str, Any] = json.loads(re.sub(r"[_-][0-9a-f]{20}\b", "-ID", text))
    return told


def test_the_pace_and_the_money_are_kept(endpoints: Endpoints, tmp_path: Path) -> None:
    """`--rpm` and `--max-cost` count the requests of all workers."""
    lines = [{"prompt": f"plain {n}", "max_tokens": 8} for n in range(40)]
    path = write_lines(tmp_path / "few.jsonl", lines[:5])
    wanted = settings(path, output=tmp_path / "a.jsonl", processes=2, rpm=120)
    assert ran(endpoints, wanted)[0] is ExitCode.OK
    sent = sorted(
        datetime.fromisoformat(one["started_at"]) for one in records(tmp_path / "a.jsonl")
    )
    assert (sent[-1] - sent[0]).total_seconds() > 4 * 0.5 * 0.9, "five in less than four intervals"
    path = write_lines(tmp_path / "jobs.jsonl", lines)
    dear = settings(
        path, output=tmp_path / "b.jsonl", processes=2, concurrency=8, max_cost=50 * 10**9
    )
    config = priced(config_for(endpoints))
    reset_stats(endpoints)
    assert run_batch(dear, config) is ExitCode.LIMIT
    found = records(tmp_path / "b.jsonl")
    assert 0 < sum(record["cost_usd"] for record in found) <= 0.05
    assert stats(endpoints)["requests"] == len(found) < 40


def priced(config: Config) -> Config:
    """Have an answer of eight tokens cost most of a cent."""
    from dataclasses import replace

    prices = TokenPrices(input=Decimal(1), output=Decimal(1000))
    here = replace(config.providers["here"], prices=prices)
    return replace(config, providers={**config.providers, "here": here})


def test_hundreds_of_small_answers(endpoints: Endpoints, tmp_path: Path) -> None:
    """Each comes to its own job, once, and `-c` bounds all workers together, used to the full."""
    lines = [{"id": f"j{n}", "prompt": f"plain {n}"} for n in range(200)]
    path = write_lines(tmp_path / "jobs.jsonl", lines)
    texts = []
    for processes in (1, 2):
        out = tmp_path / f"{processes}.jsonl"
        wanted = settings(path, output=out, processes=processes, concurrency=9)
        code, seen = ran(endpoints, wanted)
        assert (code, seen["requests"], seen["peak_in_flight"]) == (ExitCode.OK, 200, 9)
        texts.append([(one["id"], one["text"], len(one["attempts"])) for one in records(out)])
    assert texts[0] == texts[1]


def test_a_run_without_workers_ends(
    endpoints: Endpoints,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Where none can be kept, the rest is left for the next run, and no account is blamed."""
    monkeypatch.setattr(crew, "_MOST_LOST", -1)
    path = write_lines(tmp_path / "jobs.jsonl", [{"prompt": f"plain {n}"} for n in range(400)])

    def kill_all() -> None:
        wait_for_stats(endpoints, lambda seen: seen["requests"] > 10)
        for pid in children():
            os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_all)
    killer.start()
    code, seen = ran(endpoints, settings(path, processes=2, concurrency=2))
    killer.join()
    told = " ".join(capfd.readouterr().err.split())
    assert code is ExitCode.SOME_UNANSWERED
    assert seen["requests"] < 400
    assert "Stopped: the worker processes end again and again: it was ended by signal 9." in told
    assert "refuses the account" not in told
    found = records(tmp_path / "jobs.results.jsonl")
    assert {record["status"] for record in found} == {"succeeded"}
