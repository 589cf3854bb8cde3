"""Which commands a report gives for what is not done, and whether they are the right ones."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from runner.models import Result
from runner.reading.report.again import Again, again, ceiling
from runner.reading.report.read import read_report
from runner.results.paths import paths_for
from runner.results.run_file import RunFile, write_run_file
from tests.reading.support import answer, broken, failure, results_file

RECORDS = [
    answer("a", 1, finish_reason="length"),
    broken("b", 2, "idle"),
    failure("c", 3),
    failure("d", 4, kind="invalid_job"),
]


def run_file(command: Sequence[str], max_tokens: int | None = None) -> RunFile:
    """What a run with this command leaves."""
    return RunFile(
        runner="0.1.0",
        run="r",
        started_at="2026-11-22T02:14:30.123Z",
        command=list(command),
        jobs="jobs.jsonl",
        max_tokens=max_tokens,
    )


def left(
    folder: Path,
    *command: str,
    records: Sequence[Result] = RECORDS,
    max_tokens: int | None = None,
    name: str = "jobs.results.jsonl",
) -> Again:
    """What is left to do in a folder where the command was given."""
    path = results_file(folder, records, name)
    write_run_file(paths_for(path).run, run_file(command, max_tokens))
    return again(read_report(path))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jobs.jsonl").write_text("")


def test_the_same_command_asks_what_is_not_done(tmp_path: Path) -> None:
    """Without what would make it ask otherwise; lasting failures and longer answers apart."""
    found = left(
        tmp_path,
        *("batch", "jobs.jsonl", "--fresh", "-m", "openai/m", "--retry", "all", "--retry=x"),
        *("--max-tokens", "100", "-t", "Topic: {{ x }}"),
        max_tokens=100,
    )
    assert [step.command for step in found.steps] == [
        "runner batch jobs.jsonl -m openai/m --max-tokens 100 -t 'Topic: {{ x }}'",
        "runner batch jobs.jsonl -m openai/m --max-tokens 100 -t 'Topic: {{ x }}' --retry failed",
        "runner batch jobs.jsonl -m openai/m --max-tokens 400 -t 'Topic: {{ x }}' --retry length",
    ]
    assert [step.what for step in found.steps] == [
        "To ask the one broken off, and all without a record",
        "To ask the one that failed for good as well",
        "To ask the one cut off at max_tokens again, longer",
    ]
    assert not found.elsewhere


def test_where_all_is_done_nothing_is_left(tmp_path: Path) -> None:
    """Only answers, and no journal: there is nothing to say."""
    assert not left(tmp_path, "batch", "jobs.jsonl", records=[answer("a")]).steps


def test_a_killed_run_is_gone_on_with(tmp_path: Path) -> None:
    """A journal says that something was on its way: the same command sees to it."""
    (tmp_path / "jobs.results.jsonl.journal").write_text("")
    found = left(tmp_path, "batch", "jobs.jsonl", records=[answer("a")])
    assert [step.command for step in found.steps] == ["runner batch jobs.jsonl"]


@pytest.mark.parametrize(
    ("command", "name", "elsewhere"),
    [
        (["batch", "jobs.jsonl"], "other.results.jsonl", True),
        (["batch", "jobs.jsonl", "-o", "other.jsonl"], "other.jsonl", False),
        (["batch", "jobs.jsonl", "--output=other.jsonl"], "other.jsonl", False),
        (["batch", "jobs.jsonl", "-oother.jsonl"], "other.jsonl", False),
    ],
)
def test_a_command_of_another_folder_is_said_to_be_one(
    command: list[str], name: str, elsewhere: bool, tmp_path: Path
) -> None:
    """Given here it would write to another file than this."""
    assert left(tmp_path, *command, name=name).elsewhere is elsewhere


def test_no_command_is_made_up(tmp_path: Path) -> None:
    """Without a run file, or with one that `tail` has left, there is none."""
    path = results_file(tmp_path, RECORDS)
    assert not again(read_report(path)).steps
    assert not left(tmp_path, "tail", "why").steps


@pytest.mark.parametrize(
    ("words", "most"),
    [
        (["-c", "24"], 24),
        (["-c24"], 24),
        (["--concurrency=24"], 24),
        (["--concurrency", "24"], 24),
        (["-c", "auto"], None),
        ([], None),
        (["-c"], None),
    ],
)
def test_the_ceiling_is_what_the_last_run_was_given(words: list[str], most: int | None) -> None:
    """However `-c` was written; none where the run was to find it."""
    assert ceiling(run_file(["batch", "jobs.jsonl", *words])) == most


def test_without_a_run_file_there_is_no_ceiling() -> None:
    """It may have been deleted."""
    assert ceiling(None) is None
