"""Each exit code, shown by the real process."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.processes.running import (
    PATIENCE_S,
    lines_of,
    pointing_at,
    read_some,
    records,
    run,
    start,
    wait_until,
    write_jobs,
)
from tests.simulated import scenario_file, simulator, wait_for_stats

REFUSING = """
[[rules]]
match = "number 3\\\\."
fault = { kind = "status", status = 400 }
"""


def test_0_when_every_job_has_an_answer(tmp_path: Path) -> None:
    """All answered is 0, and again 0 when there is nothing left to ask."""
    write_jobs(tmp_path / "jobs.jsonl", 3)
    assert run(tmp_path, "batch", "jobs.jsonl", "-m", "sim/steady").returncode == 0
    again = run(tmp_path, "batch", "jobs.jsonl", "-m", "sim/steady")
    assert again.returncode == 0
    assert "nothing to send" in again.stderr


def test_1_when_some_job_has_none(tmp_path: Path) -> None:
    """One failed job of five is 1, and 0 with an allowance for it."""
    write_jobs(tmp_path / "jobs.jsonl", 5)
    scenario = scenario_file(tmp_path, REFUSING)
    done = run(tmp_path, "batch", "jobs.jsonl", "-m", f"sim/{scenario}")
    assert done.returncode == 1, done.stderr
    assert "4 of 5 answered" in done.stderr
    again = run(tmp_path, "batch", "jobs.jsonl", "-m", f"sim/{scenario}", "--allow-failures", "1")
    assert again.returncode == 0


@pytest.mark.parametrize(
    ("jobs", "options", "said"),
    [
        ('{"prompt": "a"}\n', [], "no model chosen"),
        ('{"prompt": "a"}\n', ["-m", "openai/gpt-5-mini"], "OPENAI_API_KEY is not set"),
        ('{"promt": "a"}\n{"prompt": "b"}\n', ["-m", "sim/steady"], 'Did you mean "prompt"?'),
        ('{"text": "a", "lang": "en"}\n', ["-m", "sim/steady"], "columns text, lang"),
        ('{"prompt": "a"}\n', ["-m", "sim/nowhere"], "steady"),
        ('{"prompt": "a"}\n', ["-m", "sim/steady", "--retry", "faild"], 'Did you mean "failed"?'),
        ('{"prompt": "a"}\n', ["-m", "sim/steady", "-o", "jobs.jsonl"], "list of jobs itself"),
    ],
)
def test_2_before_anything_is_sent(
    tmp_path: Path, jobs: str, options: list[str], said: str
) -> None:
    """Bad usage, configuration or input is 2, with a sentence and without a traceback."""
    (tmp_path / "jobs.jsonl").write_text(jobs)
    done = run(tmp_path, "batch", "jobs.jsonl", *options)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("Error: ")
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "jobs.results.jsonl").exists()


ALL_FAIL = """
unknown_models = ["gpt5-mini"]
[[rules]]
match = "number"
fault = { kind = "status", status = 400, message = "the file is too large" }
"""


@pytest.mark.parametrize(("option", "failed"), [("3", 3), ("10%", 4)])
def test_3_when_too_many_jobs_fail(tmp_path: Path, option: str, failed: int) -> None:
    """At `--max-failures` the run ends with 3, says why and how to go on."""
    write_jobs(tmp_path / "jobs.jsonl", 40)
    model = f"sim/{scenario_file(tmp_path, ALL_FAIL)}"
    wanted = ["batch", "jobs.jsonl", "-m", model, "-c", "1", "--max-failures", option]
    done = run(tmp_path, *wanted, "--summary-json", "sum.json")
    assert done.returncode == 3, done.stderr
    said = " ".join(done.stderr.split())
    assert f"--max-failures {option} is reached ({failed} invalid_request)" in said
    assert f"0 of 40 answered, {failed} failed, {40 - failed} to do" in said
    assert f"runner batch jobs.jsonl -m {model} -c 1 --max-failures {option}" in said
    assert len(records(tmp_path / "jobs.results.jsonl")) == failed
    figures = json.loads((tmp_path / "sum.json").read_text())
    assert (figures["exit_code"], figures["failed"], figures["undone"]) == (3, failed, 40 - failed)


def test_4_when_nobody_knows_the_model(tmp_path: Path) -> None:
    """A wrong model name is told to the first jobs only; the mended command asks them all."""
    write_jobs(tmp_path / "jobs.jsonl", 200)
    with simulator(scenario_file(tmp_path, 'unknown_models = ["gpt5-mini"]')) as endpoints:
        env = pointing_at(endpoints)
        done = run(tmp_path, "batch", "jobs.jsonl", "-m", "openai/gpt5-mini", env=env)
        asked = wait_for_stats(endpoints, lambda seen: True)["requests"]
        assert done.returncode == 4, done.stderr
        said = " ".join(done.stderr.split())
        assert 5 <= asked <= 40
        assert f"openai does not know the model gpt5-mini (said so to the first {asked}" in said
        assert f"{200 - asked} jobs were not sent. Mend -m; did you mean openai/gpt-5-mini?" in said
        assert len(records(tmp_path / "jobs.results.jsonl")) == asked
        good = run(tmp_path, "batch", "jobs.jsonl", "-m", "openai/gpt-5-mini", env=env)
    assert good.returncode == 0, good.stderr


def test_4_when_the_account_is_refused(tmp_path: Path) -> None:
    """A bad key is 4: one request, no records, and the jobs stay to be done."""
    write_jobs(tmp_path / "jobs.jsonl", 40)
    with simulator() as endpoints:
        env = {**pointing_at(endpoints), "OPENAI_API_KEY": "bad-key-canary"}
        done = run(tmp_path, "batch", "jobs.jsonl", "-m", "openai/gpt-5-mini", "-c", "1", env=env)
        assert done.returncode == 4, done.stderr
        assert "Stopped: openai" in done.stderr
        assert "40 jobs were not sent" in done.stderr
        assert "bad-key-canary" not in done.stderr
        assert wait_for_stats(endpoints, lambda seen: True)["requests"] == 1
        assert records(tmp_path / "jobs.results.jsonl") == []
        good = run(
            tmp_path, "batch", "jobs.jsonl", "-m", "openai/gpt-5-mini", env=pointing_at(endpoints)
        )
        assert good.returncode == 0, good.stderr


def test_4_lets_other_providers_finish(tmp_path: Path) -> None:
    """While one provider refuses the account, the other one's jobs are answered."""
    jobs = [
        {"id": f"{name}-{n}", "prompt": f"{name} {n}", "model": f"{name}/m", "max_tokens": 9}
        for n in range(10)
        for name in ("openai", "anthropic")
    ]
    (tmp_path / "jobs.jsonl").write_text("".join(json.dumps(job) + "\n" for job in jobs))
    with simulator() as endpoints:
        env = {**pointing_at(endpoints), "OPENAI_API_KEY": "bad-key"}
        done = run(tmp_path, "batch", "jobs.jsonl", env=env)
    assert done.returncode == 4
    found = records(tmp_path / "jobs.results.jsonl")
    assert sorted(record["id"] for record in found) == sorted(f"anthropic-{n}" for n in range(10))


def test_75_when_another_run_holds_the_results(tmp_path: Path) -> None:
    """A second run on the same results is 75 and names the holder; killed, it leaves no lock."""
    write_jobs(tmp_path / "jobs.jsonl", 50)
    first = start(tmp_path, "batch", "jobs.jsonl", "-m", "sim/slow", "-c", "2")
    try:
        wait_until(lambda: lines_of(tmp_path / "jobs.results.jsonl.journal") > 0)
        second = run(tmp_path, "batch", "jobs.jsonl", "-m", "sim/slow")
        assert second.returncode == 75
        assert f"process {first.pid}" in second.stderr
    finally:
        first.kill()
        first.communicate()
    write_jobs(tmp_path / "jobs.jsonl", 1)
    assert run(tmp_path, "batch", "jobs.jsonl", "-m", "sim/steady").returncode == 0


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGHUP, 129, "a closed terminal"),
        (signal.SIGINT, 130, "Ctrl-C"),
        (signal.SIGTERM, 143, "SIGTERM"),
    ],
)
def test_signals_with_work_left_undone(
    tmp_path: Path, number: signal.Signals, code: int, said: str
) -> None:
    """SIGHUP, SIGINT and SIGTERM end a run with 129, 130 and 143, and say how to go on."""
    write_jobs(tmp_path / "jobs.jsonl", 500)
    process = start(tmp_path, "batch", "jobs.jsonl", "-m", "sim/steady", "-c", "4")
    wait_until(lambda: lines_of(tmp_path / "jobs.results.jsonl") > 10)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=PATIENCE_S)
    text = stderr.decode()
    assert process.returncode == code, text
    assert f"Stopped by {said}" in text
    assert "runner batch jobs.jsonl -m sim/steady -c 4" in text
    assert {record["status"] for record in records(tmp_path / "jobs.results.jsonl")} == {
        "succeeded"
    }


def test_a_signal_that_leaves_nothing_undone_is_0(tmp_path: Path) -> None:
    """A signal during the very last answers, which then arrive, changes nothing."""
    write_jobs(tmp_path / "jobs.jsonl", 2)
    with simulator("slow") as endpoints:
        env = pointing_at(endpoints)
        process = start(tmp_path, "batch", "jobs.jsonl", "-m", "openai/gpt-5-mini", env=env)
        wait_for_stats(endpoints, lambda seen: seen["in_flight"] == 2)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, stderr
    assert b"Stopping: 2 answers on their way" in stderr


def test_141_when_the_reader_closes_the_pipe(tmp_path: Path) -> None:
    """A reader that goes away ends tail, and batch with -o -, silently with 141."""
    process = start(tmp_path, "tail", "-m", "sim/slow", "Tell me a long story.")
    read_some(process)
    _close_and_expect_141(process)
    write_jobs(tmp_path / "jobs.jsonl", 500)
    process = start(tmp_path, "batch", "jobs.jsonl", "-m", "sim/steady", "-o", "-", "-q")
    read_some(process)
    _close_and_expect_141(process)


def _close_and_expect_141(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait(PATIENCE_S) == 141
    assert process.stderr.read() == b""
    process.stderr.close()
