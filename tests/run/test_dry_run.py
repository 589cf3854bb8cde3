"""`runner batch --dry-run`: what would be sent, beside what is done; nothing is touched."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.cli.main import run
from tests.run.commands import batch, environment, records, settings, write_lines
from tests.simulated import Endpoints, simulator_in_thread


@pytest.fixture
def endpoints() -> Iterator[Endpoints]:
    """A simulator."""
    with simulator_in_thread() as found:
        yield found


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Give every file of a folder, and when it was changed."""
    return {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.iterdir()
        if path.is_file()
    }


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve jobs, in a folder of their own; no key is set."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return write_lines(folder / "jobs.jsonl", [{"prompt": f"What is {n}?"} for n in range(12)])


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
    with environment({"OPENAI_API_KEY": "sk-test-0123456789abcdef"}):
        assert batch(endpoints, settings(jobs, limit=5)) == 0
    results = jobs.parent / "jobs.results.jsonl"
    used = [record["usage"]["output_tokens"] for record in records(results)]
    with results.open("ab") as file:
        file.write(b'{"v":1,"id":"to')
    before = files(jobs.parent)
    config = tmp_path / "given.toml"
    config.write_text(
        f'[providers.here]\napi = "openai"\nbase_url = "{endpoints.openai_base_url}"\n'
    )
    command = ["--config", str(config), "batch", "jobs.jsonl", "-m", "here/m", "--dry-run"]
    capsys.readouterr()
    assert run(command) == 0
    err = capsys.readouterr().err
    assert "12 jobs, 5 answered before, 7 to do" in err
    assert f"as 5 answers of {sum(used) / 5:,.0f} each" in err
    assert files(jobs.parent) == before
    # What a batch would refuse is refused here, too.
    assert run([*command, "--max-tokens", "7"]) == 2
    assert "holds 5 answers to other questions" in capsys.readouterr().err
    assert files(jobs.parent) == before


def test_bad_input_is_exit_2(jobs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lines that cannot be asked refuse the dry run as they do the batch."""
    jobs.write_text(json.dumps({"promt": "x"}) + "\n" + json.dumps({"prompt": "x"}) + "\n")
    assert run(["batch", "jobs.jsonl", "-m", "sim/steady", "-n"]) == 2
    assert "1 of 2 lines cannot be asked; nothing was sent." in capsys.readouterr().err
