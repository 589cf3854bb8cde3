"""Promises about prompts that begin alike, on whole runs against a simulator with a cache."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runner.config import TokenPrices
from runner.errors import ExitCode
from runner.run.batch import run_batch
from tests.processes.running import PATIENCE_S, pointing_at, start
from tests.run.commands import config_for, records, settings, write_lines
from tests.simulated import (
    Endpoints,
    reset_stats,
    scenario_file,
    simulator,
    simulator_in_thread,
    stats,
    wait_for_stats,
)

SCENARIO = """
[answer]
min_tokens = 3
mean_tokens = 6
max_tokens = 12
[speed]
first_token_s = 0.25
jitter = 0
tokens_per_second = 5000
[cache]
[[rules]]
match = "first of the broken"
attempts = 1
fault = { kind = "status", status = 500 }
"""
PRICES = TokenPrices(
    input=Decimal(1), cached_input=Decimal("0.1"), cache_write=Decimal("1.25"), output=Decimal(0)
)
JOBS = 16


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator with a cache."""
    scenario = scenario_file(tmp_path_factory.mktemp("scenario"), SCENARIO)
    with simulator_in_thread(scenario) as found:
        yield found


def rules(name: str) -> str:
    """A system prompt of some 1,500 tokens that begins with its name."""
    return f"{name}. " + "Answer as the rules of the house say. " * 160


def ask(
    folder: Path, endpoints: Endpoints, jobs: list[dict[str, Any]], model: str, **more: Any
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Ask all at once where nobody waits; give the records in the order of their starts."""
    reset_stats(endpoints)
    config = config_for(endpoints)
    priced = {name: replace(one, prices=PRICES) for name, one in config.providers.items()}
    wanted = settings(write_lines(folder / "jobs.jsonl", jobs), model, concurrency=JOBS, **more)
    code = run_batch(replace(wanted, fresh=True), replace(config, providers=priced))
    assert code == ExitCode.OK
    found = records(folder / "jobs.results.jsonl")
    return sorted(found, key=lambda record: record["started_at"]), stats(endpoints)


def plain(name: str) -> list[dict[str, Any]]:
    """Jobs that share a system prompt."""
    return [{"system": rules(name), "prompt": f"{name} {number}"} for number in range(JOBS)]


def marked(name: str) -> list[dict[str, Any]]:
    """Jobs that share a system prompt with a mark for Anthropic's cache."""
    block = {"type": "text", "text": rules(name), "cache_control": {"type": "ephemeral"}}
    system = {"role": "system", "content": [block]}
    return [
        {"messages": [system, {"role": "user", "content": str(number)}]} for number in range(JOBS)
    ]


@pytest.mark.parametrize(
    ("model", "jobs"),
    [("here/m", plain), ("here-responses/m", plain), ("here-anthropic/m", marked)],
)
def test_it_costs_less(tmp_path: Path, endpoints: Endpoints, model: str, jobs: Any) -> None:
    """One request is out until it is answered; the rest read, and all costs under a third."""
    asked, _ = ask(tmp_path, endpoints, jobs(f"without {model}"), model, prime=False)
    primed, seen = ask(tmp_path, endpoints, jobs(f"with {model}"), model)
    costs = [sum(record["cost_usd"] for record in run) for run in (asked, primed)]
    assert costs[1] < costs[0] / 3
    assert asked[1]["started_at"] < asked[0]["finished_at"]
    assert primed[1]["started_at"] >= primed[0]["finished_at"]
    read = [record["usage"]["cached_input_tokens"] for record in primed]
    assert read[0] == 0
    assert min(read[1:]) > 1000
    assert seen["cached_tokens"] == sum(read)


def test_two_beginnings_do_not_wait_for_each_other(tmp_path: Path, endpoints: Endpoints) -> None:
    """The first of each goes at once, and each is alone until it is answered."""
    jobs = [job for pair in zip(plain("cats"), plain("dogs"), strict=True) for job in pair]
    found, _ = ask(
        tmp_path, endpoints, [{**job, "metadata": i % 2} for i, job in enumerate(jobs)], "here/m"
    )
    firsts = []
    for kind in (0, 1):
        first, *others = [record for record in found if record["metadata"] == kind]
        assert others[0]["started_at"] >= first["finished_at"]
        firsts.append(first)
    assert max(one["started_at"] for one in firsts) < min(one["finished_at"] for one in firsts)


def test_short_prompts_wait_for_nobody(tmp_path: Path, endpoints: Endpoints) -> None:
    """What is too short to be cached goes out all at once."""
    jobs = [{"system": "Be brief.", "prompt": f"short {number}"} for number in range(JOBS)]
    found, _ = ask(tmp_path, endpoints, jobs, "here/m")
    assert found[5]["started_at"] < found[0]["finished_at"]


def test_a_first_one_that_fails_stops_nobody(tmp_path: Path, endpoints: Endpoints) -> None:
    """The next goes first in its place; it is asked again, and all but that one read."""
    jobs = plain("broken")
    jobs[0]["prompt"] = "first of the broken"
    found, seen = ask(tmp_path, endpoints, jobs, "here/m")
    assert [len(record["attempts"]) for record in found] == [2] + [1] * (JOBS - 1)
    assert found[2]["started_at"] >= found[1]["finished_at"]
    assert seen["faults"] == {"status": 1}
    assert sum(record["usage"]["cached_input_tokens"] == 0 for record in found) == 1


def test_answers_shown_live_wait_for_the_first_words(
    tmp_path: Path, endpoints: Endpoints, capfd: pytest.CaptureFixture[str]
) -> None:
    """With --tail the answers still come in the order of the input, and the rest read."""
    found, _ = ask(tmp_path, endpoints, plain("tail"), "here/m", tail=True)
    in_order = sorted(found, key=lambda record: record["line"])
    shown = [line.strip() for line in capfd.readouterr().out.splitlines()]
    assert shown == [record["text"].strip() for record in in_order]
    assert sum(record["usage"]["cached_input_tokens"] == 0 for record in found) == 1


def test_ctrl_c_while_all_wait_for_one(tmp_path: Path) -> None:
    """The run ends at once, with one request sent and no record but of that one."""
    write_lines(tmp_path / "jobs.jsonl", plain("stopped"))
    hangs = scenario_file(tmp_path, "[speed]\nfirst_token_s = 60\n[cache]\n")
    with simulator(hangs) as there:
        arguments = ("batch", "jobs.jsonl", "-m", "openai/m", "-c", "16", "--grace", "0")
        process = start(tmp_path, *arguments, env=pointing_at(there))
        wait_for_stats(there, lambda seen: seen["in_flight"] == 1)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=PATIENCE_S / 6)
        seen = stats(there)
    assert process.returncode == 130, stderr.decode()
    assert seen["requests"] == 1
    statuses = [record["status"] for record in records(tmp_path / "jobs.results.jsonl")]
    assert statuses == ["interrupted"]
