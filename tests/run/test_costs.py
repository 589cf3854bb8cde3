"""What a whole batch records as its cost, against a server that counts for itself."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runner.config import Config, TokenPrices
from runner.errors import ExitCode
from runner.run.batch import run_batch
from tests.run.commands import config_for, environment, records, settings, write_lines
from tests.simulated import Endpoints, scenario_file, simulator_in_thread

SCENARIO = """
[answer]
min_tokens = 3
mean_tokens = 6
max_tokens = 12
[speed]
first_token_s = 0.001
tokens_per_second = 5000
[[rules]]
match = "crowded"
attempts = 2
fault = { kind = "rate_limit", retry_after_s = 0.01 }
[[rules]]
match = "busy"
attempts = 1
fault = { kind = "overloaded", retry_after_s = 0.01 }
[[rules]]
match = "odd"
attempts = 1
fault = { kind = "status", status = 500, message = "boom" }
[[rules]]
match = "refused"
fault = { kind = "status", status = 400, message = "prompt is too long" }
"""
WORDS = ("plain", "crowded", "busy", "odd", "refused")


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator whose faults are chosen by words of the prompt."""
    scenario = scenario_file(tmp_path_factory.mktemp("scenario"), SCENARIO)
    with simulator_in_thread(scenario) as found:
        yield found


def run(
    folder: Path, endpoints: Endpoints, model: str, config: Config, words: tuple[str, ...] = WORDS
) -> tuple[ExitCode, dict[str, Any]]:
    """Ask one job a word, and give the records by word."""
    jobs = write_lines(folder / "jobs.jsonl", [{"id": word, "prompt": word} for word in words])
    ambient = {
        "OPENAI_BASE_URL": endpoints.openai_base_url,
        "ANTHROPIC_BASE_URL": endpoints.anthropic_base_url,
        "OPENAI_API_KEY": "sk-test-0123456789",
        "ANTHROPIC_API_KEY": "sk-test-0123456789",
    }
    with environment(ambient):
        code = run_batch(settings(jobs, model), config)
    found = records(folder / "jobs.results.jsonl")
    return code, {record["id"]: record for record in found}


@pytest.mark.parametrize(
    ("model", "asked", "answered"),
    [
        ("openai/gpt-5-mini", 0.25, 2),
        ("openai-responses/gpt-5-mini", 0.25, 2),
        ("anthropic/claude-haiku-4-5", 1, 5),
    ],
)
def test_every_record_says_what_it_cost(
    tmp_path: Path, endpoints: Endpoints, model: str, asked: float, answered: float
) -> None:
    """Counts at listed prices; refusals cost nothing, what failed on the way is unknown."""
    code, found = run(tmp_path, endpoints, model, config_for(endpoints))
    assert code == ExitCode.SOME_UNANSWERED
    for word in ("plain", "crowded", "busy"):
        usage = found[word]["usage"]
        cost = usage["input_tokens"] * asked + usage["output_tokens"] * answered
        assert found[word]["cost_usd"] == pytest.approx(cost / 10**6, abs=1e-13)
    assert [attempt["cost_usd"] for attempt in found["crowded"]["attempts"][:2]] == [0.0, 0.0]
    assert found["odd"]["status"] == "succeeded"
    assert found["odd"]["cost_usd"] is None
    failed, answered_at_last = found["odd"]["attempts"]
    assert failed["cost_usd"] is None
    assert failed["at_most_usd"] > answered_at_last["cost_usd"] > 0
    assert "at_most_usd" not in answered_at_last
    assert found["refused"]["cost_usd"] == 0.0


def test_without_a_price_the_cost_is_unknown(tmp_path: Path, endpoints: Endpoints) -> None:
    """A server of one's own costs null until runner.toml says what it costs."""
    config = config_for(endpoints)
    _, found = run(tmp_path, endpoints, "here/gpt-5-mini", config, ("plain",))
    assert found["plain"]["cost_usd"] is None
    prices = TokenPrices(input=Decimal(1), output=Decimal(2))
    here = replace(config.providers["here"], prices=prices)
    priced = replace(config, providers={**config.providers, "here": here})
    (tmp_path / "jobs.results.jsonl").unlink()
    _, found = run(tmp_path, endpoints, "here/m", priced, ("plain",))
    usage = found["plain"]["usage"]
    cost = (usage["input_tokens"] + 2 * usage["output_tokens"]) / 10**6
    assert found["plain"]["cost_usd"] == pytest.approx(cost, abs=1e-13)


def test_a_second_run_carries_what_the_first_one_cost(tmp_path: Path, endpoints: Endpoints) -> None:
    """A record that is asked again carries the costs of all attempts."""
    config = config_for(endpoints)
    _, found = run(tmp_path, endpoints, "openai/gpt-5-mini", config, ("refused",))
    assert len(found["refused"]["attempts"]) == 1
    jobs = settings(tmp_path / "jobs.jsonl", "openai/gpt-5-mini", retry="failed")
    ambient = {"OPENAI_BASE_URL": endpoints.openai_base_url, "OPENAI_API_KEY": "sk-test-01234567"}
    with environment(ambient):
        run_batch(jobs, config)
    (record,) = records(tmp_path / "jobs.results.jsonl")
    assert [attempt["cost_usd"] for attempt in record["attempts"]] == [0.0, 0.0]
    assert record["cost_usd"] == 0.0
