"""A finished file in order."""

import os
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.models import Result
from runner.results.compact import Compacted, compact
from runner.results.encode import decode, encode
from runner.results.order import in_line_order
from runner.results.paths import ResultPaths, paths_for
from runner.results.scan import Scan, repair, scan
from tests.results import naive
from tests.results.build import record, write_log


def lines(path: Path) -> list[bytes]:
    """Give the lines of a file with their newlines."""
    return [line + b"\n" for line in path.read_bytes().split(b"\n")[:-1]] if path.exists() else []


def noted(paths: ResultPaths, places: dict[str, int]) -> Scan:
    """Scan as a run does at its start, and note where the jobs stand in its input."""
    found = repair(paths)
    for job_id, line in places.items():
        found.table.note_line(job_id, line)
    return found


def append(paths: ResultPaths, held: Scan, results: list[Result]) -> None:
    """Write as a run does, which keeps count of what it writes."""
    with paths.results.open("ab") as file:
        for result in results:
            line = encode(result)
            held.written(result, file.tell(), len(line) - 1)
            file.write(line)


@given(
    log=naive.LOGS,
    before=st.integers(0, 20),
    order=st.permutations(range(1, 1 + len(naive.IDS))),
    asked=st.sets(st.sampled_from(naive.IDS)),
    unordered=st.booleans(),
)
def test_against_the_rules(
    tmp_path_factory: pytest.TempPathFactory,
    log: list[Result],
    before: int,
    order: list[int],
    asked: set[str],
    unordered: bool,
) -> None:
    """Whatever the log, one line a job stays where it belongs and no success is lost."""
    paths = write_log(tmp_path_factory.mktemp("log") / "o.jsonl", log[:before])
    places = {name: line for name, line in zip(naive.IDS, order, strict=True) if name in asked}
    log = log[:before] + naive.of_one_run(log[before:], places)
    first = noted(paths, places)
    append(paths, first, log[before:])
    report = compact(paths, first, unordered=unordered)
    expected = naive.ordered(log, before, places, unordered=unordered)
    assert report.left_because is None
    assert lines(paths.results) == expected
    stays = set(naive.standing(log).values())
    replaced = [
        encode(result)
        for index, result in enumerate(log)
        if index not in stays and result.status == "succeeded"
    ]
    assert lines(paths.old) == replaced
    assert report.moved == len(replaced)
    assert report.superseded == len(log) - len(expected)
    assert report.strangers == sum(b'"line":null' in line for line in expected)
    assert not paths.temporary.exists()

    again = noted(paths, {decode(line).id: decode(line).line or 0 for line in expected})
    inode = paths.results.stat().st_ino
    assert not compact(paths, again, unordered=unordered).rewritten
    assert paths.results.stat().st_ino == inode


def test_missing_file(tmp_path: Path) -> None:
    """Where there is nothing, nothing is put in order."""
    paths = paths_for(tmp_path / "o")
    assert compact(paths, scan(paths.results)) == Compacted(rewritten=False)
    assert not paths.results.exists()


def test_somebody_else_writes(tmp_path: Path) -> None:
    """A file that is not as this run left it stays as it is."""
    paths = write_log(tmp_path / "o", [record("b", line=2), record("a", line=1)])
    held = noted(paths, {"a": 1, "b": 2})
    with paths.results.open("ab") as file:
        file.write(encode(record("c", line=3)))
    before = paths.results.read_bytes()
    report = compact(paths, held)
    assert (report.rewritten, report.left_because) == (False, "another program has written to it")
    assert paths.results.read_bytes() == before


def test_mode_and_symlink(tmp_path: Path) -> None:
    """The ordered file has the mode of the log and stands where a link leads."""
    (tmp_path / "far").mkdir()
    real = tmp_path / "far" / "o.jsonl"
    write_log(real, [record("b", line=2), record("a", line=1)])
    real.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(real)
    paths = paths_for(link)
    assert compact(paths, noted(paths, {"a": 1, "b": 2})).rewritten
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert [decode(line).id for line in lines(real)] == ["a", "b"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_owner(tmp_path: Path) -> None:
    """The ordered file belongs to whom the log belonged."""
    paths = write_log(tmp_path / "o", [record("b", line=2), record("a", line=1)])
    os.chown(paths.results, 1234, 5678)
    assert compact(paths, noted(paths, {"a": 1, "b": 2})).rewritten
    status = paths.results.stat()
    assert (status.st_uid, status.st_gid) == (1234, 5678)


def test_corrupt_lines_are_kept_aside(tmp_path: Path) -> None:
    """Lines that are no records leave the file but not the disk."""
    paths = write_log(tmp_path / "o", [record("a", line=1)])
    with paths.results.open("ab") as file:
        file.write(b"garbage\n\n" + encode(record("b", line=2)) + b'{"v":1,"id')
    report = compact(paths, noted(paths, {"a": 1, "b": 2}))
    assert (report.rewritten, report.corrupt) == (True, 1)
    assert lines(paths.results) == [encode(record("a", line=1)), encode(record("b", line=2))]
    assert paths.torn.read_bytes() == b'{"v":1,"id\ngarbage\n'


def test_large_records(tmp_path: Path) -> None:
    """Records beyond the size of a block are copied whole."""
    log = [record(f"{n}", line=n, text="x" * 150_000) for n in (4, 2, 3, 1)]
    paths = write_log(tmp_path / "o", log)
    assert compact(paths, noted(paths, {str(n): n for n in range(1, 5)})).rewritten
    assert lines(paths.results) == sorted((encode(r) for r in log), key=lambda b: decode(b).line)  # type: ignore[arg-type, return-value] # every record here has a line


def test_written_anew_by_another_program(tmp_path: Path) -> None:
    """A record whose fields stand in another order is moved but not touched."""
    foreign = (
        b'{"metadata":{"x":1,"line":7},"v":1,"id":"f","digest":null,"line":7,"status":"failed"}\n'
    )
    paths = paths_for(tmp_path / "o")
    paths.results.write_bytes(foreign + encode(record("a", line=1)))
    assert compact(paths, noted(paths, {"f": 2, "a": 1})).rewritten
    assert lines(paths.results) == [encode(record("a", line=1)), foreign]


@pytest.fixture
def unsorted(tmp_path: Path) -> ResultPaths:
    """Leave a log out of order with a replaced success."""
    log = [record("b", line=2, text="old"), record("b", line=2), record("a", line=1)]
    return write_log(tmp_path / "o.jsonl", log)


def test_no_room(unsorted: ResultPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a disk without room for a copy the log stays as it is, and that is said."""
    before = unsorted.results.read_bytes()
    monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(f_bavail=1, f_frsize=512))
    report = compact(unsorted, noted(unsorted, {"a": 1, "b": 2}))
    assert not report.rewritten
    assert "too little room" in str(report.left_because)
    assert unsorted.results.read_bytes() == before
    assert not unsorted.old.exists()


def test_copy_fails(unsorted: ResultPaths) -> None:
    """Where the copy cannot be made the log stays as it is, and that is said."""
    before = unsorted.results.read_bytes()
    held = noted(unsorted, {"a": 1, "b": 2})
    unsorted.temporary.mkdir()
    report = compact(unsorted, held)
    assert not report.rewritten
    assert "could not be written" in str(report.left_because)
    assert unsorted.results.read_bytes() == before


LAST_STEP = 11
"""System calls that compacting makes here: the test fails where this is not their number."""


class Killed(BaseException):
    """Stands for `kill -9` in the middle."""


@pytest.mark.parametrize("step", range(LAST_STEP + 1))
def test_killed_at_any_step(
    unsorted: ResultPaths, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Killed between any two system calls, the next run ends with the same files, none twice."""
    first = noted(unsorted, {"a": 1, "b": 2})
    calls = Counter[str]()

    def killing(name: str) -> object:
        original = getattr(os, name)

        def call(*args: object, **kwargs: object) -> object:
            calls["all"] += 1
            if calls["all"] > step:
                raise Killed
            return original(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        for name in ("open", "write", "fsync", "ftruncate", "rename", "replace"):
            patch.setattr(os, name, killing(name))
        try:
            compact(unsorted, first)
        except Killed:
            pass
        else:
            assert step == LAST_STEP
    found = repair(unsorted)
    for job_id, line in {"a": 1, "b": 2}.items():
        found.table.note_line(job_id, line)
    compact(unsorted, found)
    assert lines(unsorted.results) == [encode(record(i, line=n)) for i, n in (("a", 1), ("b", 2))]
    assert lines(unsorted.old) == [encode(record("b", line=2, text="old"))]


def test_torn_end_of_the_old_file(unsorted: ResultPaths) -> None:
    """A part of a line that a kill left in the old file is cut before more is added."""
    whole, moved = encode(record("z")), encode(record("b", line=2, text="old"))
    unsorted.old.write_bytes(whole + moved[:20])
    compact(unsorted, noted(unsorted, {"a": 1, "b": 2}))
    assert lines(unsorted.old) == [whole, moved]


@pytest.mark.parametrize(
    ("lines", "ordered"),
    [
        ([3, 1, 2], [1, 2, 0]),
        ([3, 0, 1, 0], [2, 0, 1, 3]),
        ([2, 1, 2], [1, 0, 2]),
        ([2**31, 1, 0], [1, 0, 2]),
        ([], []),
        ([0, 0], [0, 1]),
    ],
)
def test_rows_are_placed_by_line(lines: list[int], ordered: list[int]) -> None:
    """By line, strangers last, ties and sparse lines included."""
    assert list(in_line_order(bytearray([1] * len(lines)), lines)) == ordered
