"""Running the same command again: nothing done is asked twice, nothing is lost."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes.running import (
    PATIENCE_S,
    environment,
    lines_of,
    pointing_at,
    records,
    run,
    start,
    wait_until,
    write_jobs,
)
from tests.simulated import reset_stats, simulator, stats

MODEL = ("-m", "openai/gpt-5-mini")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_next_run_asks_only_what_is_missing(tmp_path: Path, number: signal.Signals) -> None:
    """Stopped or killed half-way, the second run sends what has no record and no more."""
    ids = write_jobs(tmp_path / "jobs.jsonl", 300)
    results = tmp_path / "jobs.results.jsonl"
    with simulator() as endpoints:
        env = pointing_at(endpoints)
        process = start(tmp_path, "batch", "jobs.jsonl", *MODEL, "-c", "8", env=env)
        wait_until(lambda: lines_of(results) > 100)
        process.send_signal(number)
        process.communicate(timeout=PATIENCE_S)
        recorded = lines_of(results)
        assert 100 < recorded < 300
        sent_before = stats(endpoints)["requests"]
        reset_stats(endpoints)
        again = run(tmp_path, "batch", "jobs.jsonl", *MODEL, "-c", "8", env=env)
        assert again.returncode == 0, again.stderr
        assert f"{recorded} answered before" in again.stderr
        assert stats(endpoints)["requests"] == 300 - recorded
    # A drain asks nothing twice; after a kill what was in flight is asked again, and what had just
    # been answered and was being written.
    assert sent_before - recorded <= (2 * 8 if number is signal.SIGKILL else 0)
    found = records(results)
    assert [record["id"] for record in found] == ids
    assert [record["line"] for record in found] == list(range(1, 301))
    assert {record["status"] for record in found} == {"succeeded"}
    assert sorted(path.name for path in tmp_path.glob("jobs.results*")) == [
        "jobs.results.jsonl",
        "jobs.results.jsonl.lock",
        "jobs.results.jsonl.run.json",
    ]


def test_a_kill_is_told_of(tmp_path: Path) -> None:
    """After kill -9 the next run says how many were on their way and may be charged twice."""
    write_jobs(tmp_path / "jobs.jsonl", 60)
    with simulator("slow") as endpoints:
        env = pointing_at(endpoints)
        process = start(tmp_path, "batch", "jobs.jsonl", *MODEL, "-c", "5", env=env)
        wait_until(lambda: lines_of(tmp_path / "jobs.results.jsonl.journal") >= 5)
        process.kill()
        process.communicate(timeout=PATIENCE_S)
    with simulator() as endpoints:
        left = run(
            tmp_path, "batch", "jobs.jsonl", *MODEL, "--retry", "failed", env=pointing_at(endpoints)
        )
        assert left.returncode == 1
        assert stats(endpoints)["requests"] == 55
        again = run(tmp_path, "batch", "jobs.jsonl", *MODEL, env=pointing_at(endpoints))
    assert "5 were on their way when the last run was killed" in again.stderr
    assert again.returncode == 0
    assert len(records(tmp_path / "jobs.results.jsonl")) == 60


def test_a_second_run_starts_nothing(tmp_path: Path) -> None:
    """With nothing left to ask no SDK is imported and no simulator started."""
    write_jobs(tmp_path / "jobs.jsonl", 3)
    assert run(tmp_path, "batch", "jobs.jsonl", "-m", "sim/steady").returncode == 0
    before = (tmp_path / "jobs.results.jsonl").stat()
    traced = subprocess.run(
        [
            sys.executable,
            "-X",
            "importtime",
            "-m",
            "runner",
            "batch",
            "jobs.jsonl",
            "-m",
            "sim/steady",
        ],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    imported = {line.rsplit("|", 1)[-1].strip() for line in traced.stderr.splitlines()}
    assert "all 3 jobs are answered in jobs.results.jsonl" in traced.stderr
    assert "runner.results.scan" in imported
    assert not imported & {"openai", "anthropic", "aiohttp", "httpx2", "starlette", "tqdm"}
    after = (tmp_path / "jobs.results.jsonl").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_another_question_is_refused_and_then_asked(tmp_path: Path) -> None:
    """Another model is exit 2 with three ways on; --retry changed keeps the old answers."""
    write_jobs(tmp_path / "jobs.jsonl", 4)
    assert run(tmp_path, "batch", "jobs.jsonl", "-m", "sim/steady").returncode == 0
    first = (tmp_path / "jobs.results.jsonl").read_bytes()
    refused = run(tmp_path, "batch", "jobs.jsonl", "-m", "sim-anthropic/steady")
    assert refused.returncode == 2
    assert "holds 4 answers to other questions. Nothing sent." in refused.stderr
    assert "was sim/steady, now sim-anthropic/steady" in refused.stderr
    assert (tmp_path / "jobs.results.jsonl").read_bytes() == first
    kept = run(tmp_path, "batch", "jobs.jsonl", "-m", "sim-anthropic/steady", "--retry", "failed")
    assert kept.returncode == 0
    assert (tmp_path / "jobs.results.jsonl").read_bytes() == first
    changed = run(
        tmp_path, "batch", "jobs.jsonl", "-m", "sim-anthropic/steady", "--retry", "changed"
    )
    assert changed.returncode == 0, changed.stderr
    assert {r["provider"] for r in records(tmp_path / "jobs.results.jsonl")} == {"sim-anthropic"}
    assert (tmp_path / "jobs.results.old.jsonl").read_bytes() == first


def test_fresh_sets_the_old_results_aside(tmp_path: Path) -> None:
    """--fresh keeps the old file under the next free number and starts over."""
    write_jobs(tmp_path / "jobs.jsonl", 3)
    assert run(tmp_path, "batch", "jobs.jsonl", "-m", "sim/steady").returncode == 0
    first = (tmp_path / "jobs.results.jsonl").read_bytes()
    done = run(tmp_path, "batch", "jobs.jsonl", "-m", "sim-responses/steady", "--fresh")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "jobs.results.1.jsonl").read_bytes() == first
    assert {r["provider"] for r in records(tmp_path / "jobs.results.jsonl")} == {"sim-responses"}


def test_retry_all_replaces_a_success_and_keeps_it(tmp_path: Path) -> None:
    """Asked again on demand, the earlier success moves to .old and its attempts are carried on."""
    write_jobs(tmp_path / "jobs.jsonl", 2)
    assert run(tmp_path, "batch", "jobs.jsonl", "-m", "sim/steady").returncode == 0
    assert (
        run(tmp_path, "batch", "jobs.jsonl", "-m", "sim/steady", "--retry", "all").returncode == 0
    )
    found = records(tmp_path / "jobs.results.jsonl")
    assert [len(record["attempts"]) for record in found] == [2, 2]
    assert len(records(tmp_path / "jobs.results.old.jsonl")) == 2


def test_changed_input_is_noticed(tmp_path: Path) -> None:
    """A file that grows while it runs stops the feeding with 1, said so; the next run goes on."""
    write_jobs(tmp_path / "jobs.jsonl", 700, metadata={"padding": "x" * 2000})
    process = start(tmp_path, "batch", "jobs.jsonl", "-m", "sim/steady", "-c", "4")
    wait_until(lambda: lines_of(tmp_path / "jobs.results.jsonl") > 5)
    with (tmp_path / "jobs.jsonl").open("a") as file:
        file.write('{"id": "late", "prompt": "Am I too late?"}\n')
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "changed while" in stderr.decode()
    done = run(tmp_path, "batch", "jobs.jsonl", "-m", "sim/steady", "-c", "200")
    assert done.returncode == 0, done.stderr
    assert records(tmp_path / "jobs.results.jsonl")[-1]["id"] == "late"


def test_records_of_jobs_that_are_gone_stand_last(tmp_path: Path) -> None:
    """A job taken out of the file keeps its record, last; the others follow the file's order."""
    ids = write_jobs(tmp_path / "jobs.jsonl", 4)
    assert run(tmp_path, "batch", "jobs.jsonl", "-m", "sim/steady").returncode == 0
    lines = (tmp_path / "jobs.jsonl").read_text().splitlines()
    new = json.dumps({"id": "new", "prompt": "Something new."})
    (tmp_path / "jobs.jsonl").write_text("\n".join([new, lines[3], lines[2], lines[1]]) + "\n")
    done = run(tmp_path, "batch", "jobs.jsonl", "-m", "sim/steady")
    assert done.returncode == 0
    assert "1 record of jobs that are not in jobs.jsonl stands last" in done.stderr
    found = records(tmp_path / "jobs.results.jsonl")
    assert [record["id"] for record in found] == ["new", ids[3], ids[2], ids[1], ids[0]]
    assert [record["line"] for record in found] == [1, 2, 3, 4, None]
