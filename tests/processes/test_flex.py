"""`--lane flex` as users run it: at half price while there is room, in whole processes."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.processes.running import pointing_at, records, run, write_jobs
from tests.simulated import Endpoints, scenario_file, simulator, stats

SPEED = "[speed]\nfirst_token_s = 0.01\ntokens_per_second = 10000\n[answer]\nmean_tokens = 20\n"
HALF = SPEED + "[flex]\nno_capacity_rate = 0.5\n"
HAS_FLEX = "[providers.openai]\nflex = true\n[providers.openai-responses]\nflex = true\n"
"""The simulator stands where OpenAI would: prices are those of OpenAI's list."""
PER_TOKEN = {"flex": (0.125e-6, 1e-6), "live": (0.25e-6, 2e-6)}
"""What gpt-5-mini costs in USD: input, output."""


def ask(folder: Path, endpoints: Endpoints, *options: str) -> tuple[int, str]:
    """Run `jobs.jsonl` in the flex lane; give code and stderr."""
    (folder / "own.toml").write_text(HAS_FLEX)
    words = ("--config", "own.toml", "batch", "jobs.jsonl", "--lane", "flex", *options)
    done = run(folder, *words, env=pointing_at(endpoints))
    return done.returncode, done.stderr


def true_cost(record: dict[str, Any]) -> float:
    """Price a record's usage at its own lane."""
    asked, answered = PER_TOKEN[record["lane"]]
    usage = record["usage"]
    cost: float = usage["input_tokens"] * asked + usage["output_tokens"] * answered
    return cost


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("openai/gpt-5-mini", ()),
        ("openai-responses/gpt-5-mini", ()),
        ("openai/gpt-5-mini", ("--processes", "2")),
        ("openai/gpt-5-mini", ("--tail",)),
    ],
)
def test_half_without_room_falls_back(tmp_path: Path, model: str, options: tuple[str, ...]) -> None:
    """Every job is answered, at flex price where there was room and at full price elsewhere."""
    write_jobs(tmp_path / "jobs.jsonl", 60)
    with simulator(scenario_file(tmp_path, HALF)) as endpoints:
        code, text = ask(tmp_path, endpoints, "-m", model, "--summary-json", "sum.json", *options)
        seen = stats(endpoints)
    assert code == 0, text
    found = records(tmp_path / "jobs.results.jsonl")
    lanes = Counter(record["lane"] for record in found)
    assert lanes.total() == 60
    assert 10 <= lanes["flex"] <= 50
    for record in found:
        assert record["response"]["service_tier"] == (
            "flex" if record["lane"] == "flex" else "default"
        )
        assert record["cost_usd"] == pytest.approx(true_cost(record), rel=1e-9)
        first, *second = record["attempts"]
        assert first["lane"] == "flex"
        assert (first["outcome"], first["cost_usd"] == 0) == (
            ("overloaded", True) if second else ("ok", False)
        )
        assert all("lane" not in one for one in second)
    figures = json.loads((tmp_path / "sum.json").read_text())
    assert figures["flex"] == {
        "at_flex": lanes["flex"],
        "at_standard": lanes["live"],
        "fell_back": lanes["live"],
    }
    assert (figures["refusals"], figures["retries"], figures["attempts"]) == (0, 0, 60)
    assert seen["faults"] == {"no_capacity": lanes["live"]}
    assert "at flex price" in text


def test_without_fallback_nothing_is_asked_at_the_standard_price(tmp_path: Path) -> None:
    """The same command again until all are answered, each at flex price and none at another."""
    write_jobs(tmp_path / "jobs.jsonl", 40)
    options = ("-m", "openai/gpt-5-mini", "--no-fallback", "--max-attempts", "3")
    codes = [1]
    with simulator(scenario_file(tmp_path, HALF)) as endpoints:
        while codes[-1] == 1 and len(codes) < 20:
            code, text = ask(tmp_path, endpoints, *options)
            codes.append(code)
    assert codes[-1] == 0, text
    found = records(tmp_path / "jobs.results.jsonl")
    assert len(found) == 40
    assert {record["lane"] for record in found} == {"flex"}
    for record in found:
        assert record["cost_usd"] == pytest.approx(true_cost(record), rel=1e-9)
        assert {one["lane"] for one in record["attempts"]} == {"flex"}
    assert sum(len(record["attempts"]) for record in found) > 50


def test_no_room_at_all_without_fallback_fails_for_now(tmp_path: Path) -> None:
    """After the tries the record says overloaded, costs nothing, and is asked again next time."""
    write_jobs(tmp_path / "jobs.jsonl", 3)
    never = scenario_file(tmp_path, SPEED + "[flex]\nno_capacity_rate = 1\n")
    with simulator(never) as endpoints:
        options = ("-m", "openai/gpt-5-mini", "--max-attempts", "2")
        code, text = ask(tmp_path, endpoints, *options, "--no-fallback")
        assert (code, stats(endpoints)["refusals"]) == (1, 6), text
        for record in records(tmp_path / "jobs.results.jsonl"):
            assert (record["status"], record["lane"]) == ("failed", "flex")
            assert (record["error"]["kind"], record["error"]["retryable"]) == ("overloaded", True)
            assert record["cost_usd"] == 0
        code, text = ask(tmp_path, endpoints, *options)
    assert code == 0, text
    assert {r["lane"] for r in records(tmp_path / "jobs.results.jsonl")} == {"live"}


def test_answered_at_the_default_tier_although_flex_was_asked_for(tmp_path: Path) -> None:
    """The record says live and the full price, for one attempt."""
    write_jobs(tmp_path / "jobs.jsonl", 5)
    with simulator(scenario_file(tmp_path, SPEED + "[flex]\ndefault_rate = 1\n")) as endpoints:
        code, text = ask(tmp_path, endpoints, "-m", "openai/gpt-5-mini", "--keep-request")
    assert code == 0, text
    for record in records(tmp_path / "jobs.results.jsonl"):
        assert (record["lane"], len(record["attempts"])) == ("live", 1)
        assert record["request"]["service_tier"] == "flex"
        assert record["cost_usd"] == pytest.approx(true_cost(record), rel=1e-9)
    assert "0 of 5 answers at flex price" in text


def test_a_file_half_done_live_goes_on_in_flex(tmp_path: Path) -> None:
    """The lane is no part of the question: nothing is asked twice."""
    ids = write_jobs(tmp_path / "jobs.jsonl", 20)
    with simulator(scenario_file(tmp_path, SPEED)) as endpoints:
        live = ("batch", "jobs.jsonl", "-m", "openai/gpt-5-mini", "--limit", "10")
        assert run(tmp_path, *live, env=pointing_at(endpoints)).returncode == 0
        code, text = ask(tmp_path, endpoints, "-m", "openai/gpt-5-mini")
        assert code == 0, text
        assert stats(endpoints)["requests"] == 20
    found = records(tmp_path / "jobs.results.jsonl")
    assert [record["id"] for record in found] == ids
    assert [record["lane"] for record in found] == ["live"] * 10 + ["flex"] * 10


def test_flex_can_be_tried_without_a_key(tmp_path: Path) -> None:
    """`-m sim/SCENARIO --lane flex` works out of the box, and says what was at flex."""
    write_jobs(tmp_path / "jobs.jsonl", 3)
    done = run(tmp_path, "batch", "jobs.jsonl", "-m", "sim/steady", "--lane", "flex")
    assert done.returncode == 0, done.stderr
    assert "Flex is cheaper and slower." in done.stderr
    assert "3 of 3 answers at flex price" in done.stderr


def test_a_model_without_a_flex_price_runs_at_unknown_cost(tmp_path: Path) -> None:
    """It is said at the start, and no record guesses."""
    write_jobs(tmp_path / "jobs.jsonl", 3)
    with simulator(scenario_file(tmp_path, SPEED)) as endpoints:
        code, text = ask(tmp_path, endpoints, "-m", "openai/gpt-4o-mini")
    assert code == 0, text
    assert "The flex price is unknown for openai/gpt-4o-mini." in text
    assert {r["cost_usd"] for r in records(tmp_path / "jobs.results.jsonl")} == {None}


def test_who_has_no_flex_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    """Anthropic, and a server that is not OpenAI: exit 2, with the models and the ways on."""
    lines = [
        {"prompt": "a", "model": "anthropic/claude-haiku-4-5"},
        {"prompt": "b", "model": "openai/gpt-5-mini"},
        {"prompt": "c", "model": "anthropic/claude-haiku-4-5"},
    ]
    (tmp_path / "jobs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with simulator() as endpoints:
        code, text = ask(tmp_path, endpoints)
        assert code == 2
        assert "  2 jobs for anthropic/claude-haiku-4-5\n" in text
        assert "openai" not in text
        (tmp_path / "own.toml").write_text("")
        words = ("batch", "-", "-m", "openai/gpt-5-mini", "--lane", "flex")
        done = run(tmp_path, *words, env=pointing_at(endpoints), stdin='{"prompt":"a"}\n')
        assert done.returncode == 2
        assert "openai is not known to have a flex tier" in done.stderr
        assert stats(endpoints)["requests"] == 0
    assert not (tmp_path / "jobs.results.jsonl").exists()


def test_a_streams_job_without_flex_fails_alone(tmp_path: Path) -> None:
    """What comes through a pipe is told job by job, and never asked live."""
    lines = [{"prompt": "a", "model": "sim-anthropic/steady"}, {"prompt": "b"}]
    piped = "".join(json.dumps(line) + "\n" for line in lines)
    done = run(tmp_path, "batch", "-", "-m", "sim/steady", "--lane", "flex", stdin=piped)
    first, second = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 1
    assert "sim-anthropic has no flex tier" in first["error"]["message"]
    assert (first["attempts"], second["status"]) == ([], "succeeded")
