"""Promises about `--max-cost`, on whole runs against a server that counts for itself."""

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runner.config import Config, TokenPrices
from runner.errors import ExitCode, UsageError
from runner.results.paths import paths_for
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
[[rules]]
match = "odd"
attempts = 9
fault = { kind = "status", status = 500, message = "boom" }
"""
WORST = 2 * 10**10
"""20 tokens at a thousandth of a dollar, in picodollars; input costs nothing here."""


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator with short answers."""
    scenario = scenario_file(tmp_path_factory.mktemp("scenario"), SCENARIO)
    with simulator_in_thread(scenario) as found:
        yield found


def priced(endpoints: Endpoints) -> Config:
    """Let an answer cost a thousandth of a dollar a token."""
    config = config_for(endpoints)
    here = config.providers["here"]
    prices = TokenPrices(input=Decimal(0), output=Decimal(1000))
    return replace(config, providers={**config.providers, "here": replace(here, prices=prices)})


def ask(
    folder: Path, config: Config, limit: float, prompts: list[str], **changes: Any
) -> tuple[ExitCode, list[dict[str, Any]]]:
    """Run a batch with so much money, and give code and records."""
    lines = [{"id": f"{n}-{prompt}", "prompt": prompt} for n, prompt in enumerate(prompts)]
    jobs = write_lines(folder / "jobs.jsonl", lines)
    given = {"max_tokens": 20, "max_cost": round(limit * 10**12), **changes}
    code = run_batch(settings(jobs, "here/m", **given), config)
    return code, records(folder / "jobs.results.jsonl")


def test_it_stops_below_the_limit_and_goes_on_with_more(
    tmp_path: Path, endpoints: Endpoints, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is spent never passes the limit; the same again sends nothing; more money goes on."""
    config, prompts = priced(endpoints), ["plain"] * 40
    figures = tmp_path / "summary.json"
    code, found = ask(tmp_path, config, 0.10, prompts, summary_json=figures)
    spent = sum(record["cost_usd"] for record in found)
    assert code == ExitCode.LIMIT
    assert 0.06 <= spent <= 0.10
    told = json.loads(figures.read_text())
    assert told["cost_usd"] == told["max_cost_spent_usd"] == pytest.approx(spent)
    assert (told["max_cost_usd"], told["cost_unknown_jobs"]) == (0.1, 0)
    text = capsys.readouterr().err
    assert text.startswith("Stopped by --max-cost: ")
    assert "the next job can cost $0.0200" in text.replace("\n", " ")
    assert text.endswith(" --max-cost 0.2\n")
    assert ask(tmp_path, config, 0.10, prompts) == (ExitCode.LIMIT, found)
    code, found = ask(tmp_path, config, 5.0, prompts)
    assert (code, len(found)) == (ExitCode.OK, 40)


def test_requests_of_unknown_cost_count_at_worst(tmp_path: Path, endpoints: Endpoints) -> None:
    """Failures that may have been charged use the money up, in this run and in the next."""
    config = priced(endpoints)
    changes: dict[str, Any] = {"max_attempts": 2, "concurrency": 1}
    code, found = ask(tmp_path, config, 0.05, ["odd"] * 3, **changes)
    assert code == ExitCode.LIMIT
    sent = [attempt for record in found for attempt in record["attempts"]]
    assert [attempt["at_most_usd"] for attempt in sent] == [0.02, 0.02]
    assert ask(tmp_path, config, 0.05, ["odd"] * 3, **changes) == (ExitCode.LIMIT, found)


def test_what_a_killed_run_had_sent_counts_and_is_recorded(
    tmp_path: Path, endpoints: Endpoints
) -> None:
    """A request that only the journal knows takes its worst case, now and in later runs."""
    config = priced(endpoints)
    _, first = ask(tmp_path, config, 1.0, ["plain"])
    entry = ["0-plain", first[0]["digest"], "2026-11-22T02:13:07.000Z", 0]
    (tmp_path / "jobs.results.jsonl").unlink()
    paths_for(tmp_path / "jobs.results.jsonl").journal.write_text(json.dumps(entry) + "\n")
    code, _ = ask(tmp_path, config, 0.03, ["plain"])
    assert code == ExitCode.LIMIT
    code, (record,) = ask(tmp_path, config, 0.05, ["plain"])
    assert code == ExitCode.OK
    lost, answered = record["attempts"]
    assert (lost["outcome"], lost["at_most_usd"], lost["duration_s"]) == ("unknown", 0.02, None)
    assert answered["cost_usd"] > 0
    code, _ = ask(tmp_path, config, 0.04, ["plain", "plain"])
    assert code == ExitCode.LIMIT


def test_what_lacks_a_price_or_a_bound_is_refused(tmp_path: Path, endpoints: Endpoints) -> None:
    """Nothing is sent where nobody can say what a job may cost, and the remedy is named."""
    with pytest.raises(UsageError, match="its price is unknown") as unpriced:
        ask(tmp_path, config_for(endpoints), 1.0, ["plain"] * 2)
    assert '[providers.here.models."m"]' in str(unpriced.value)
    assert "2 jobs for here/m (line 1, ...)" in str(unpriced.value)
    with pytest.raises(UsageError, match="add  --max-tokens N"):
        ask(tmp_path, priced(endpoints), 1.0, ["plain"], max_tokens=None)
    assert not (tmp_path / "jobs.results.jsonl").exists()


def test_earlier_requests_are_priced_once_a_price_is_known(
    tmp_path: Path, endpoints: Endpoints
) -> None:
    """Records made without a price count by their tokens, unless their jobs are gone."""
    config = config_for(endpoints)
    _, (first,) = ask(tmp_path, config, 1.0, ["plain"], max_cost=None)
    assert first["cost_usd"] is None
    cost = first["usage"]["output_tokens"] / 1000
    code, _ = ask(tmp_path, priced(endpoints), cost + 0.0199, ["plain"] * 2)
    assert code == ExitCode.LIMIT
    other = write_lines(tmp_path / "other.jsonl", [{"id": "new", "prompt": "plain"}])
    given = settings(
        other,
        "here/m",
        max_tokens=20,
        max_cost=10**12,
        output=tmp_path / "jobs.results.jsonl",
    )
    with pytest.raises(UsageError, match="tells of 1 request that may have cost anything"):
        run_batch(given, priced(endpoints))
    code, _ = ask(tmp_path, priced(endpoints), cost + 0.0201, ["plain"] * 2)
    assert code == ExitCode.OK


def test_all_answered_needs_no_money(tmp_path: Path, endpoints: Endpoints) -> None:
    """Where nothing is left to send, neither a limit nor a missing price stands in the way."""
    assert ask(tmp_path, priced(endpoints), 1.0, ["plain"])[0] == ExitCode.OK
    assert ask(tmp_path, config_for(endpoints), 0.001, ["plain"])[0] == ExitCode.OK
