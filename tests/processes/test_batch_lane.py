"""`--lane batch` as users run it: submitted, left alone, collected, in whole processes."""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.processes.running import (
    PATIENCE_S,
    pointing_at,
    records,
    run,
    start,
    wait_until,
    write_jobs,
)
from tests.simulated import Endpoints, scenario_file, simulator, stats

MODELS = ("openai/gpt-5-mini", "openai-responses/gpt-5-mini", "anthropic/claude-haiku-4-5")
SLOW = "[batch]\nprocessing_s = 3600\n"
RESULTS = "jobs.results.jsonl"


def lane(
    folder: Path, endpoints: Endpoints, model: str, *options: str
) -> "subprocess.CompletedProcess[str]":
    """Run `jobs.jsonl` in the batch lane."""
    words = ("batch", "jobs.jsonl", "-m", model, "--lane", "batch", *options)
    return run(folder, *words, env=pointing_at(endpoints))


def begun(folder: Path, endpoints: Endpoints, model: str) -> "subprocess.Popen[bytes]":
    """Start the batch lane and let its batch come about."""
    words = ("batch", "jobs.jsonl", "-m", model, "--lane", "batch")
    process = start(folder, *words, env=pointing_at(endpoints))
    chunks = folder / f"{RESULTS}.batches"
    wait_until(lambda: any('"out"' in one.read_text() for one in chunks.glob("*.chunk.json")))
    return process


@pytest.mark.parametrize("model", MODELS)
def test_at_half_the_price_of_a_live_run(tmp_path: Path, model: str) -> None:
    """Ids, statuses and texts are those of a live run, and the cost is half."""
    write_jobs(tmp_path / "jobs.jsonl", 20)
    with simulator() as endpoints:
        done = lane(tmp_path, endpoints, model)
        assert done.returncode == 0, done.stderr
        batched = records(tmp_path / RESULTS)
        live = run(
            tmp_path, "batch", "jobs.jsonl", "-m", model, "--fresh", env=pointing_at(endpoints)
        )
        assert live.returncode == 0, live.stderr
    asked = records(tmp_path / RESULTS)
    same = ("id", "status", "text", "usage")
    assert [[one[name] for name in same] for one in batched] == [
        [one[name] for name in same] for one in asked
    ]
    assert sum(one["cost_usd"] for one in batched) == pytest.approx(
        sum(one["cost_usd"] for one in asked) / 2
    )


def test_what_is_said_before_money_is_spent(tmp_path: Path) -> None:
    """Lane, batches, the most it can cost, the deadline and what the provider keeps are told."""
    write_jobs(tmp_path / "jobs.jsonl", 3, max_tokens=50)
    with simulator(scenario_file(tmp_path, SLOW)) as endpoints:
        done = lane(tmp_path, endpoints, MODELS[0], "--no-wait")
    words = " ".join(done.stderr.split())
    assert (
        "Batch lane, at the provider's batch price: 3 jobs in 1 batch; cost at most $0.00" in words
    )
    assert "Answers come within 24h" in words
    assert "openai keeps files for 30 days" in words
    assert "0 of 3 answered, 3 to do." in words
    assert f"runner batch jobs.jsonl -m {MODELS[0]} --lane batch --no-wait" in words


@pytest.mark.parametrize("model", MODELS)
def test_cron_exits_5_until_all_is_in(tmp_path: Path, model: str) -> None:
    """--no-wait ends with 5 while work is out, then with 0, and with 0 again."""
    write_jobs(tmp_path / "jobs.jsonl", 10)
    with simulator(scenario_file(tmp_path, "[batch]\nprocessing_s = 3\n")) as endpoints:
        codes = [lane(tmp_path, endpoints, model, "--no-wait", "-q").returncode]
        while codes[-1] == 5:
            codes.append(lane(tmp_path, endpoints, model, "--no-wait", "-q").returncode)
        assert codes[0] == 5
        assert codes[-1] == 0
        assert lane(tmp_path, endpoints, model, "--no-wait", "-q").returncode == 0
        assert set(stats(endpoints)["batches"]["by_content"].values()) == {1}
    assert len(records(tmp_path / RESULTS)) == 10
    assert not (tmp_path / f"{RESULTS}.batches").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_the_batch_running(tmp_path: Path, number: signal.Signals) -> None:
    """Stopped, it says how to go on at once; then --cancel ends what is out."""
    write_jobs(tmp_path / "jobs.jsonl", 10)
    with simulator(scenario_file(tmp_path, SLOW)) as endpoints:
        process = begun(tmp_path, endpoints, MODELS[0])
        process.send_signal(number)
        _, stderr = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 128 + number
        words = " ".join(stderr.decode().split())
        assert "They go on without runner." in words
        assert "10 jobs in 1 batch" in words
        assert "Traceback" not in words
        assert lane(tmp_path, endpoints, MODELS[0], "--cancel").returncode == 1
        assert stats(endpoints)["batches"]["by_route"]["batches.cancel"] == 1
    assert {one["error"]["code"] for one in records(tmp_path / RESULTS)} == {"batch_cancelled"}


@pytest.mark.parametrize("model", MODELS)
def test_a_kill_is_no_second_submission(tmp_path: Path, model: str) -> None:
    """Killed while it waits, the next run finds its batch and records it."""
    write_jobs(tmp_path / "jobs.jsonl", 10)
    with simulator(scenario_file(tmp_path, "[batch]\nprocessing_s = 2\n")) as endpoints:
        process = begun(tmp_path, endpoints, model)
        process.kill()
        process.communicate(timeout=PATIENCE_S)
        again = lane(tmp_path, endpoints, model)
        assert again.returncode == 0, again.stderr
        assert "10 jobs in 1 batch of an earlier run: they are waited for." in again.stderr
        assert stats(endpoints)["batches"]["created"] == 1
    assert {one["status"] for one in records(tmp_path / RESULTS)} == {"succeeded"}


def test_a_live_run_meanwhile_is_refused(tmp_path: Path) -> None:
    """Jobs that are out are not asked live: code 2, with the two ways on."""
    write_jobs(tmp_path / "jobs.jsonl", 3)
    with simulator(scenario_file(tmp_path, SLOW)) as endpoints:
        assert lane(tmp_path, endpoints, MODELS[0], "--no-wait").returncode == 5
        words = ("batch", "jobs.jsonl", "-m", MODELS[0])
        live = run(tmp_path, *words, env=pointing_at(endpoints))
        assert stats(endpoints)["requests"] == 0
    assert live.returncode == 2
    assert f"runner batch jobs.jsonl -m {MODELS[0]} --lane batch --cancel" in live.stderr


def test_both_batch_shapes_in_one_file(tmp_path: Path) -> None:
    """Lines in OpenAI's and Anthropic's batch shape go each to their own service."""
    message = [{"role": "user", "content": "Why?"}]
    lines: list[dict[str, Any]] = [
        {
            "custom_id": "a/b c",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": "gpt-5-mini", "messages": message},
        },
        {
            "custom_id": "request-2",
            "params": {"model": "claude-haiku-4-5", "max_tokens": 50, "messages": message},
        },
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "jobs.jsonl").write_text(text)
    with simulator() as endpoints:
        words = ("batch", "jobs.jsonl", "--lane", "batch")
        done = run(tmp_path, *words, env=pointing_at(endpoints))
        assert done.returncode == 0, done.stderr
        assert len(stats(endpoints)["batches"]["rows_by_batch"]) == 2
    found = records(tmp_path / RESULTS)
    assert [one["id"] for one in found] == ["a/b c", "request-2"]
    assert [one["provider"] for one in found] == ["openai", "anthropic"]


def test_it_works_without_a_key(tmp_path: Path) -> None:
    """The practice server is started for the run, and answers its batches."""
    write_jobs(tmp_path / "jobs.jsonl", 5)
    for model in ("sim/steady", "sim-anthropic/steady"):
        words = ("batch", "jobs.jsonl", "-m", model, "--lane", "batch", "--fresh")
        done = run(tmp_path, *words)
        assert done.returncode == 0, done.stderr


def test_the_key_is_nowhere_on_the_disk(tmp_path: Path) -> None:
    """What is kept of batches that are out holds no key."""
    write_jobs(tmp_path / "jobs.jsonl", 3)
    with simulator(scenario_file(tmp_path, SLOW)) as endpoints:
        assert lane(tmp_path, endpoints, MODELS[2], "--no-wait").returncode == 5
    files = list((tmp_path / f"{RESULTS}.batches").iterdir())
    assert len(files) == 3
    assert not any(b"sk-test" in path.read_bytes() for path in files)


@pytest.mark.parametrize(
    "options", [("--no-wait",), ("--cancel",), ("--then", "live"), ("--lane", "batch", "--tail")]
)
def test_options_that_do_not_fit_are_refused(tmp_path: Path, options: tuple[str, ...]) -> None:
    """What belongs to the batch lane is no option elsewhere, and nothing can be watched there."""
    write_jobs(tmp_path / "jobs.jsonl", 1)
    done = run(tmp_path, "batch", "jobs.jsonl", "-m", "sim/steady", *options)
    assert done.returncode == 2, done.stderr


def test_a_stream_goes_in_batches_too(tmp_path: Path) -> None:
    """Jobs from stdin are sent in batches where a file is named for the results."""
    words = ("batch", "-", "-m", "sim/steady", "--lane", "batch", "-o", RESULTS)
    lines = "".join(json.dumps({"id": f"{n}", "prompt": f"Say {n}."}) + "\n" for n in range(5))
    done = run(tmp_path, *words, stdin=lines)
    assert done.returncode == 0, done.stderr
    assert len(records(tmp_path / RESULTS)) == 5
    assert run(tmp_path, *words, "--then", "live", stdin=lines).returncode == 2


def test_without_a_file_for_results_it_is_refused(tmp_path: Path) -> None:
    """What is out is kept beside the results, so these need a file."""
    write_jobs(tmp_path / "jobs.jsonl", 1)
    words = ("batch", "jobs.jsonl", "-m", "sim/steady", "--lane", "batch", "-o", "-")
    done = run(tmp_path, *words)
    assert done.returncode == 2
    assert "Name one with -o" in done.stderr
