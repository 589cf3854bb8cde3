"""Files that must not be written and names that cannot be used are refused at once."""

from pathlib import Path

import pytest

from runner.config import Config
from runner.errors import UsageError, WriteError
from runner.results.lock import hold_lock
from runner.results.paths import paths_for, set_aside
from runner.run.batch import run_batch
from tests.results.build import record, write_log
from tests.run.commands import settings, write_lines


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    """A file of one job with the results of an earlier run beside it."""
    write_log(tmp_path / "jobs.results.jsonl", [record("a")])
    (tmp_path / "link").symlink_to("jobs.jsonl")
    (tmp_path / "hard").hardlink_to(write_lines(tmp_path / "jobs.jsonl", [{"prompt": "a"}]))
    return tmp_path / "jobs.jsonl"


@pytest.mark.parametrize(
    "name",
    [
        "jobs.jsonl",
        "link",
        "hard",
        "jobs.results.jsonl",
        "jobs.results.jsonl.lock",
        "jobs.results.jsonl.journal",
        "jobs.results.jsonl.run.json",
        "jobs.results.old.jsonl",
    ],
)
def test_a_summary_overwrites_no_jobs_and_no_results(jobs: Path, name: str) -> None:
    """`--summary-json` may name neither the jobs, by whatever link, nor any file of the results."""
    path = jobs.parent / name
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(UsageError, match="would overwrite"):
        run_batch(settings(jobs, "sim/steady", summary_json=path), Config())
    assert (path.read_bytes() if path.exists() else None) == before


@pytest.mark.parametrize("length", [243, 255, 256, 5000])
def test_a_name_without_room_for_its_companions_is_refused(jobs: Path, length: int) -> None:
    """A name that the journal or the run file would make too long is exit 2, not an odd failure."""
    with pytest.raises(UsageError, match="too long"):
        run_batch(settings(jobs, "sim/steady", output=jobs.parent / ("x" * length)), Config())


@pytest.mark.parametrize("name", ["/dev/stdin", "/dev/fd/0"])
def test_an_open_descriptor_has_no_results_beside_it(name: str) -> None:
    """`runner batch <(...)` has to be told where the results go."""
    with pytest.raises(UsageError, match="Name a file for them with -o"):
        run_batch(settings(name, "sim/steady"), Config())


def test_a_lock_that_cannot_be_made_is_held_by_nobody(tmp_path: Path) -> None:
    """A folder in which nothing can be made is told as such, not as another run."""
    with (
        pytest.raises(WriteError, match="No such file"),
        hold_lock(paths_for(tmp_path / "n" / "r")),
    ):
        pass


def test_results_that_cannot_be_set_aside_are_told(tmp_path: Path) -> None:
    """--fresh that fails is a failure to write, and the results stay."""
    paths = write_log(tmp_path / "r.jsonl", [record("a")])
    paths.run.mkdir()
    with pytest.raises(WriteError):
        set_aside(paths)
