"""Names beside a results file."""

import errno
import os
from pathlib import Path

import pytest

from runner.errors import WriteError
from runner.results.paths import default_output, paths_for, set_aside


@pytest.mark.parametrize(
    ("jobs", "output"),
    [
        ("jobs.jsonl", "jobs.results.jsonl"),
        ("jobs.jsonl.gz", "jobs.results.jsonl"),
        ("dir/rows.csv", "dir/rows.results.jsonl"),
        ("rows.csv.gz", "rows.results.jsonl"),
        ("prompts.v2", "prompts.v2.results.jsonl"),  # not a suffix that says how it is written
        (".jsonl", ".jsonl.results.jsonl"),  # a hidden file has no suffix
    ],
)
def test_default_output(jobs: str, output: str) -> None:
    """Results stand beside the jobs, under their name."""
    assert default_output(jobs) == Path(output)


def test_files_beside(tmp_path: Path) -> None:
    """Everything of a results file stands beside it and is named after it."""
    paths = paths_for(tmp_path / "jobs.results.jsonl")
    assert paths.lock.name == "jobs.results.jsonl.lock"
    assert paths.journal.name == "jobs.results.jsonl.journal"
    assert paths.run.name == "jobs.results.jsonl.run.json"
    assert paths.torn.name == "jobs.results.jsonl.torn"
    assert paths.old.name == "jobs.results.old.jsonl"
    assert paths_for(tmp_path / "out.jsonl").old.name == "out.old.jsonl"


def test_symlink_is_followed(tmp_path: Path) -> None:
    """A symlinked results file is worked on where it really lies."""
    (tmp_path / "far").mkdir()
    link = tmp_path / "out.jsonl"
    link.symlink_to("far/real.jsonl")
    paths = paths_for(link)
    assert paths.results == tmp_path / "far" / "real.jsonl"
    assert paths.lock.parent == tmp_path / "far"
    assert paths.shown == str(link)


def test_nameless_target_is_not_followed(tmp_path: Path) -> None:
    """What stands behind /dev/fd has no path of its own, so the link stays the name."""
    read, write = os.pipe()
    try:
        link = tmp_path / "link"
        link.symlink_to(f"/dev/fd/{write}")
        assert paths_for(link).results == link
    finally:
        os.close(read)
        os.close(write)


def test_set_aside_takes_the_next_number(tmp_path: Path) -> None:
    """Old results move to a free number and take their journal and run file out of the way."""
    paths = paths_for(tmp_path / "jobs.results.jsonl")
    (tmp_path / "jobs.results.1.jsonl").write_text("earlier")
    for path in (paths.results, paths.journal, paths.run):
        path.write_text("mine")
    aside = set_aside(paths)
    assert aside == tmp_path / "jobs.results.2.jsonl"
    assert aside.read_text() == "mine"
    assert not any(path.exists() for path in (paths.results, paths.journal, paths.run))
    assert (tmp_path / "jobs.results.1.jsonl").read_text() == "earlier"


def test_set_aside_keeps_the_journal_until_the_results_have_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A move that fails does not hide what a killed run had sent."""
    paths = paths_for(tmp_path / "jobs.results.jsonl")
    for path in (paths.results, paths.journal):
        path.write_text("mine")

    def refused(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "rename", refused)
    with pytest.raises(WriteError, match="no space left"):
        set_aside(paths)
    assert paths.journal.read_text() == "mine"


def test_set_aside_nothing(tmp_path: Path) -> None:
    """Where there are no results nothing is set aside."""
    assert set_aside(paths_for(tmp_path / "out.jsonl")) is None
