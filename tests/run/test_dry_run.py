"""`runner batch --dry-run`: what would be sent, beside what is done; nothing is touched."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from runner.cli.main import run
from runner.config import Config, TokenPrices
from runner.errors import ExitCode, UsageError
from runner.results.journal import Journal
from runner.results.lock import hold_lock
from runner.results.paths import paths_for
from runner.run.dry_run import dry_run
from tests.run.commands import batch, config_for, environment, records, settings, write_lines
from tests.simulated import Endpoints, simulator_in_thread, stats

PRICES = TokenPrices(input=Decimal(1), output=Decimal(4))
KEY = {"OPENAI_API_KEY": "sk-test-0123456789abcdef"}


@pytest.fixture(scope="module")
def endpoints() -> Iterator[Endpoints]:
    """A simulator."""
    with simulator_in_thread() as found:
        yield found


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Give every file below a folder, and when it was changed."""
    return {
        str(path): (path.read_bytes() if path.is_file() else b"", path.stat().st_mtime_ns)
        for path in [folder, *folder.rglob("*")]
    }


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve jobs, in a folder of their own; no key is set."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return write_lines(folder / "jobs.jsonl", [{"prompt": f"What is {n}?"} for n in range(12)])


def priced(endpoints: Endpoints) -> Config:
    """Give the simulator a price."""
    config = config_for(endpoints)
    here = replace(config.providers["here"], prices=PRICES)
    return Config(providers={**config.providers, "here": here})


def spoken(capsys: pytest.CaptureFixture[str]) -> str:
    """Give what was said, lines that were broken made whole."""
    return " ".join(capsys.readouterr().err.split())


def test_it_says_what_would_be_sent_and_needs_no_key(
    jobs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without results all would be sent; no file appears, and no key is asked for."""
    before = files(jobs.parent)
    assert run(["batch", "jobs.jsonl", "-m", "openai/gpt-5-mini", "-n", "--max-tokens", "9"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "jobs.jsonl: 12 jobs\n" in err
    assert "For the 12 jobs that would be sent:" in err
    assert "at most 108 tokens at the cap" in err
    assert files(jobs.parent) == before


def test_what_is_done_is_not_sent_and_teaches_the_estimate(
    jobs: Path, endpoints: Endpoints, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Answered jobs count as done, their usage sets the mean, and a torn line stays."""
    with environment(KEY):
        assert batch(endpoints, settings(jobs, limit=5)) == 0
    results = jobs.parent / "jobs.results.jsonl"
    used = [record["usage"]["output_tokens"] for record in records(results)]
    with results.open("ab") as file:
        file.write(b'{"v":1,"id":"to')
    before, sent = files(jobs.parent), stats(endpoints)["requests"]
    config = tmp_path / "given.toml"
    config.write_text(
        f'[providers.here]\napi = "openai"\nbase_url = "{endpoints.openai_base_url}"\n'
    )
    command = ["--config", str(config), "batch", "jobs.jsonl", "-m", "here/m", "--dry-run"]
    capsys.readouterr()
    assert run([*command, "-c", "2"]) == 0
    err = capsys.readouterr().err
    assert "12 jobs, 5 answered before, 7 to do" in err
    assert f"as 5 answers of {sum(used) / 5:,.0f} each" in err
    assert "Line 6 will ask here/m:" in err
    # How long an answer takes is known now, and so how long seven take by two at once.
    assert "\n  time        about " in err
    # What a batch would refuse is refused here, too.
    assert run([*command, "--max-tokens", "7"]) == 2
    assert "holds 5 answers to other questions" in capsys.readouterr().err
    assert run([*command, "--limit", "5"]) == 0
    assert "all 5 jobs are answered" in capsys.readouterr().err
    assert run([*command, "--fresh"]) == 0
    err = capsys.readouterr().err
    assert "--fresh would set jobs.results.jsonl aside." in err
    assert "For the 12 jobs that would be sent:" in err
    assert (files(jobs.parent), stats(endpoints)["requests"]) == (before, sent)


def test_bad_input_is_exit_2(jobs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lines that cannot be asked refuse the dry run as they do the batch."""
    jobs.write_text(json.dumps({"promt": "x"}) + "\n" + json.dumps({"prompt": "x"}) + "\n")
    assert run(["batch", "jobs.jsonl", "-m", "sim/steady", "-n"]) == 2
    assert "1 of 2 lines cannot be asked; nothing was sent." in capsys.readouterr().err
    assert run(["batch", "jobs.jsonl", "-m", "sim/steady", "-n", "--skip-invalid"]) == 0
    assert "1 line would be recorded as failed." in capsys.readouterr().err


def test_a_stream_is_judged_line_by_line(jobs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Bad lines of a stream are counted, not refused; --sample, which counts first, is refused."""
    text = b'{"prompt": "x"}\nrubbish\n'
    for more, code in (([], 0), (["--sample", "1"], 2)):
        read, write = os.pipe()
        os.write(write, text)
        os.close(write)
        name = f"/dev/fd/{read}"
        assert run(["batch", name, "-m", "sim/steady", "-n", "-o", "r.jsonl", *more]) == code
        os.close(read)
        err = capsys.readouterr().err
        said = "1 line would be recorded as failed." if code == 0 else "--sample needs a file"
        assert said in err
    assert not Path("r.jsonl").exists()


def test_a_run_at_work_is_named_and_its_jobs_are_not_called_lost(
    jobs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside a run no lock is waited for, and what it has on its way is no killed run's."""
    paths = paths_for(Path("jobs.results.jsonl"))
    wanted = settings(jobs, "sim/steady", quiet=False)
    write_lines(jobs, [{"id": "one", "prompt": "?"}, {"id": "two", "prompt": "!"}])
    journal = Journal(paths.journal, {}, lambda: 0)
    journal.sent("one", "0" * 64, "2026-01-02T03:04:05.000Z")
    assert dry_run(wanted, Config()) is ExitCode.OK
    assert "when the last run was killed" in spoken(capsys)
    with hold_lock(paths):
        assert dry_run(wanted, Config()) is ExitCode.OK
    said = spoken(capsys)
    assert f"Another run works on these results (process {os.getpid()}, since " in said
    assert "killed" not in said
    journal.close()


def test_a_budget_is_held_against_what_was_spent(
    jobs: Path, endpoints: Endpoints, capsys: pytest.CaptureFixture[str]
) -> None:
    """--max-cost says what was spent before and whether the rest fits in."""
    config, ten = priced(endpoints), 10**13
    wanted = settings(jobs, max_tokens=200, quiet=False)
    with environment(KEY):
        assert batch(endpoints, replace(wanted, limit=2, quiet=True)) == 0
    capsys.readouterr()
    assert dry_run(replace(wanted, max_cost=ten), config) is ExitCode.OK
    assert "of it spent before: it should be enough for all of them" in spoken(capsys)
    assert dry_run(replace(wanted, max_cost=10**9), config) is ExitCode.OK
    assert "it will probably end the run before all are asked" in spoken(capsys)
    with pytest.raises(UsageError, match="--max-cost cannot be kept"):
        dry_run(replace(wanted, max_cost=ten), config_for(endpoints))


def test_what_is_out_in_batches_stays_out(
    jobs: Path, endpoints: Endpoints, capsys: pytest.CaptureFixture[str]
) -> None:
    """Jobs in batches are counted as out and not estimated; the lane of a live run is refused."""
    wanted = settings(jobs, lane="batch", wait=False, limit=4)
    with environment(KEY):
        assert batch(endpoints, wanted) is ExitCode.BATCHES_OUT
    before = files(jobs.parent)
    capsys.readouterr()
    whole = replace(wanted, limit=None, quiet=False)
    assert dry_run(whole, config_for(endpoints)) is ExitCode.OK
    err = capsys.readouterr().err
    assert "4 jobs of these are out in batches." in err
    assert "For the 8 jobs that would be sent:" in err
    with pytest.raises(UsageError, match="out in"):
        dry_run(replace(whole, lane="live", wait=True), config_for(endpoints))
    assert files(jobs.parent) == before
