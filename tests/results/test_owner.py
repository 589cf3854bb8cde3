"""Files that are not ours are left alone."""

import os
from pathlib import Path

import pytest

from runner.errors import UsageError, WriteError
from runner.results.encode import encode
from runner.results.owner import refuse_foreign
from runner.results.paths import paths_for
from tests.results.build import record

OURS = encode(record("a", text="x" * 200_000))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        OURS,
        b"\n\n" + OURS,  # a blank line says nothing
        OURS[:-1],  # only the newline is missing
        OURS[:100_000],  # killed while the first record was written
        b'{"v',
        OURS + b"garbage\n",  # mended later
        b'{"v": 1, "id": "a", "digest": null, "status": "failed"}\n',  # written anew by a tool
    ],
)
def test_ours_is_accepted(tmp_path: Path, content: bytes) -> None:
    """A results file is accepted, whole or torn."""
    path = tmp_path / "out.jsonl"
    path.write_bytes(content)
    refuse_foreign(paths_for(path), None)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"id": "a", "prompt": "hello"}\n', "not a results file"),
        (b'{"id": "a", "prompt": "hello"}', "not a results file"),
        (b'{"v":1,"id":"a"}\n', "not a results file"),
        (b'{"v":1,"id":"a","digest":null,"status":"fine"}\n', "not a results file"),
        (b"plain text", "not a results file"),
        (b"\x00\xff" * 100_000, "not a results file"),
        (b"\n \n", "not a results file"),
        (b'{"v":2,"id":"a","digest":null,"status":"failed"}\n', "newer runner"),
    ],
)
def test_foreign_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    """A non-empty file of anybody else is refused and stays as it is."""
    path = tmp_path / "out.jsonl"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=says):
        refuse_foreign(paths_for(path), None)
    assert path.read_bytes() == content


def test_missing_output_is_fine(tmp_path: Path) -> None:
    """A file that does not exist yet can be made."""
    refuse_foreign(paths_for(tmp_path / "out.jsonl"), tmp_path / "jobs.jsonl")
    refuse_foreign(paths_for(Path("out-that-is-not-there.jsonl")), None)


def test_missing_folder_is_said(tmp_path: Path) -> None:
    """A folder that does not exist is named before anything is sent."""
    with pytest.raises(UsageError, match="does not exist"):
        refuse_foreign(paths_for(tmp_path / "no" / "out.jsonl"), None)


def test_jobs_are_never_the_output(tmp_path: Path) -> None:
    """The list of jobs is refused as output under any of its names, even while it is empty."""
    jobs, link = tmp_path / "jobs.jsonl", tmp_path / "link.jsonl"
    jobs.write_bytes(b"")
    os.link(jobs, link)
    with pytest.raises(UsageError, match="list of jobs itself"):
        refuse_foreign(paths_for(link), jobs)
    refuse_foreign(paths_for(link), tmp_path / "other.jsonl")


def test_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    """What cannot be kept and resumed is refused, with the way to stdout."""
    with pytest.raises(UsageError, match="is a folder"):
        refuse_foreign(paths_for(tmp_path), None)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(UsageError, match="-o -"):
        refuse_foreign(paths_for(tmp_path / "fifo"), None)


def test_unreachable_output_is_said(tmp_path: Path) -> None:
    """A path that leads nowhere is an error in words."""
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(WriteError, match="cannot write"):
        refuse_foreign(paths_for(loop), None)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("yarn.lock", b"# yarn lockfile v1\n"),
        ("yarn.journal", b"Dear diary\n"),
        ("yarn.run.json", b'{"mine": 1}\n'),
        ("yarn.tmp", b"precious"),
        ("yarn.reserve", b"precious"),
        ("yarn.checkpoint", b"\x80\x02weights"),
        ("yarn.old", b"an end without a newline"),
    ],
)
def test_what_belongs_to_another_beside_the_output_is_not_lost(
    tmp_path: Path, name: str, content: bytes
) -> None:
    """An output is refused where a file beside it would be overwritten that is not ours."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UsageError, match=f"{name} is not runner's"):
        refuse_foreign(paths_for(tmp_path / "yarn"), None)
    (tmp_path / "yarn").write_bytes(OURS)
    with pytest.raises(UsageError, match=f"{name} is not runner's"):
        refuse_foreign(paths_for(tmp_path / "yarn"), None)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("o.lock", b""),
        ("o.lock", b'{"pid":17,"host":"far","since":"2026-11-22T02:00:04.123Z"}\n'),
        ("o.journal", b'["a","d","2026-11-22T02:00:04.123Z",0]\n["b"'),
        ("o.journal", b"["),
        ("o.run.json", b'{\n  "runner": "0.1.0",\n  "ru'),
        ("o.run.json", b'{"command": [], "runner": "0.1.0"}'),  # sorted by another tool
        ("o.run.json", bytes(500)),  # after a loss of power
        ("o.tmp", OURS[:100_000]),
        ("o.tmp", b""),
        ("o.old", OURS + OURS[:50]),
        ("o.old", b"{"),
        ("o.reserve", bytes(100_000)),
        ("o.torn", b"anything"),  # only appended to
    ],
)
def test_what_a_run_leaves_beside_the_output_is_ours(
    tmp_path: Path, name: str, content: bytes
) -> None:
    """Whatever a run that was killed has left is taken over."""
    (tmp_path / name).write_bytes(content)
    refuse_foreign(paths_for(tmp_path / "o"), None)


@pytest.mark.parametrize("name", ["o.journal", "o.torn", "o.tmp", "o.run.json", "o.old"])
def test_pipes_and_folders_beside_the_output_are_refused(tmp_path: Path, name: str) -> None:
    """What is no file where one is kept is refused, not waited for."""
    os.mkfifo(tmp_path / name)
    with pytest.raises(UsageError, match=f"{name} is not runner's"):
        refuse_foreign(paths_for(tmp_path / "o"), None)
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match=f"{name} is not runner's"):
        refuse_foreign(paths_for(tmp_path / "o"), None)
