"""Promises about `--max-cost` in the flex lane, on whole runs against a simulator."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runner.config import Config, TokenPrices
from runner.errors import ExitCode, UsageError
from runner.run.batch import run_batch
from tests.run.commands import config_for, records, settings, write_lines
from tests.simulated import Endpoints, scenario_file, simulator_in_thread

SCENARIO = """
[answer]
min_tokens = 3
mean_tokens = 6
max_tokens = 12
[speed]
first_token_s = 0.001
tokens_per_second = 5000
[flex]
no_capacity_rate = 0.5
"""


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator where half of the flex requests find no room."""
    scenario = scenario_file(tmp_path_factory.mktemp("scenario"), SCENARIO)
    with simulator_in_thread(scenario) as found:
        yield found


def priced(endpoints: Endpoints, **changes: Any) -> Config:
    """Let a token of an answer cost a thousandth of a dollar, and half of that at flex."""
    config = config_for(endpoints)
    standard = TokenPrices(input=Decimal(0), output=Decimal(1000))
    half = TokenPrices(input=Decimal(0), output=Decimal(500))
    given = {"prices": standard, "flex_prices": half, "flex": True, **changes}
    return replace(
        config,
        providers={**config.providers, "here": replace(config.providers["here"], **given)},
    )


def ask(
    folder: Path, config: Config, limit: float, number: int = 40, **changes: Any
) -> tuple[ExitCode, list[dict[str, Any]]]:
    """Run jobs of at most 20 tokens with so much money, and give code and records."""
    jobs = write_lines(folder / "jobs.jsonl", [{"prompt": f"say {n}"} for n in range(number)])
    given = {"max_tokens": 20, "max_cost": round(limit * 10**12), "lane": "flex", **changes}
    code = run_batch(settings(jobs, "here/m", **given), config)
    results = folder / "jobs.results.jsonl"
    return code, records(results) if results.exists() else []


def spent(found: list[dict[str, Any]]) -> float:
    """Add up what each record's answer cost at its lane."""
    per_token = {"flex": 0.0005, "live": 0.001}
    costs = [r["usage"]["output_tokens"] * per_token[r["lane"]] for r in found if r["usage"]]
    return float(sum(costs))


def test_the_limit_holds_whatever_the_tier(tmp_path: Path, endpoints: Endpoints) -> None:
    """What is spent at both prices stays below the limit, and comes near it."""
    code, found = ask(tmp_path, priced(endpoints), 0.10)
    assert code == ExitCode.LIMIT
    assert {record["lane"] for record in found} == {"flex", "live"}
    total = sum(record["cost_usd"] for record in found)
    assert total == pytest.approx(spent(found))
    assert 0.06 <= total <= 0.10


def test_the_worst_case_is_at_the_standard_price_unless_forbidden(
    tmp_path: Path, endpoints: Endpoints
) -> None:
    """20 tokens at most: 0.02 where a job may fall back, 0.01 where it may not."""
    config = priced(endpoints)
    assert ask(tmp_path, config, 0.019, number=1) == (ExitCode.LIMIT, [])
    code, found = ask(tmp_path, config, 0.011, number=1, fallback=False, max_attempts=50)
    assert (code, found[0]["lane"]) == (ExitCode.OK, "flex")


def test_without_a_flex_price_the_standard_one_bounds(tmp_path: Path, endpoints: Endpoints) -> None:
    """Answers at flex count at their worst then; with no standard price to fall to, exit 2."""
    config = priced(endpoints, flex_prices=None)
    with pytest.raises(UsageError, match="its price is unknown"):
        ask(tmp_path, config, 1.0, fallback=False)
    code, found = ask(tmp_path, config, 0.10)
    assert code == ExitCode.LIMIT
    at_flex = [record for record in found if record["lane"] == "flex"]
    assert {record["cost_usd"] for record in at_flex} == {None}
    assert all(record["attempts"][-1]["at_most_usd"] == 0.02 for record in at_flex)
    at_standard = [record for record in found if record["lane"] == "live"]
    assert sum(record["cost_usd"] for record in at_standard) + 0.02 * len(at_flex) <= 0.10
    # Counted alike when the file is read again: there is no room for another at its worst.
    assert ask(tmp_path, config, 0.10) == (code, found)
