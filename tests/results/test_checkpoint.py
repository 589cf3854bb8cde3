"""The checkpoint saves reading, and changes nothing else."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from runner.results import checkpoint
from runner.results.compact import compact
from runner.results.encode import encode
from runner.results.heads import RecordHead
from runner.results.paths import ResultPaths, paths_for
from runner.results.scan import Scan, repair, scan
from runner.results.table import Recorded, ResultTable, digest_number
from tests.results.build import digest, record, write_log

OTHER = digest_number(digest("e"))


@pytest.fixture(autouse=True)
def _worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "WORTH_ROWS", 2)


@pytest.fixture
def finished(tmp_path: Path) -> ResultPaths:
    """A file in order with a checkpoint beside it."""
    return finish(tmp_path / "o.jsonl")


def finish(path: Path) -> ResultPaths:
    """Put a log in order that holds a replaced answer, a failure and two orders."""
    log = [
        record("b", line=2, status="failed"),
        record("c", line=3, finish_reason="length"),
        record("a", line=1, text="old"),
        record("a", "e", line=1),
        record("d", "e", line=4, text="x" * 100),
    ]
    paths = write_log(path, log)
    held = repair(paths)
    for line, job_id in enumerate("abcd", 1):
        held.table.note_line(job_id, line)
    assert compact(paths, held).rewritten
    repair(paths)
    return paths


def jobs(found: Scan) -> list[object]:
    """Tell all that a table says of each job."""
    table = found.table
    rows = [told(table.record(row)) for row in range(table.rows)]
    ids = [(name, told(table.get(name))) for name in "abcdexyz"]
    latest = list(table.latest_rows())
    chains = [(table.standing(row), table.success(row, OTHER)) for row in latest]
    return [rows, ids, latest, chains, len(table), found.torn, found.corrupt]


def told(recorded: Recorded | None) -> object:
    """Tell what is recorded of a job, and where."""
    if recorded is None:
        return None
    return (*astuple(recorded)[:-1], recorded.offset, recorded.length)


def same(paths: ResultPaths) -> bool:
    """Whether reading with the checkpoint tells what reading without it tells."""
    with_it = repair(paths)
    return jobs(with_it) == jobs(scan(paths.results))


class Reads:
    """Counts the bytes that are read of a file by `os.pread`."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        """Start to count."""
        self.bytes = 0
        self._pread = os.pread
        patch.setattr(os, "pread", self._count)

    def _count(self, fd: int, length: int, offset: int) -> bytes:
        data = self._pread(fd, length, offset)
        self.bytes += len(data)
        return data


def test_an_untouched_file_is_not_read(
    finished: ResultPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run after a finished one learns all from the checkpoint."""
    plain = jobs(scan(finished.results))
    reads = Reads(monkeypatch)
    found = repair(finished)
    assert reads.bytes == 0
    assert jobs(found) == plain


def count_parsed(patch: pytest.MonkeyPatch) -> list[int]:
    """Note how many records are taken in, block by block."""
    parsed: list[int] = []
    extend = ResultTable.extend

    def counted(self: ResultTable, at: int, strides: list[int], heads: list[RecordHead]) -> None:
        parsed.append(len(heads))
        extend(self, at, strides, heads)

    patch.setattr(ResultTable, "extend", counted)
    return parsed


def test_only_what_was_added_is_parsed(
    finished: ResultPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a kill the checkpoint still tells of the part that it was made from."""
    with finished.results.open("ab") as file:
        file.write(encode(record("x", line=5)) + encode(record("b", line=2)) + b'{"v":1')
    expected = jobs(scan(finished.results))
    with monkeypatch.context() as patch:
        parsed = count_parsed(patch)
        found = repair(finished)
    assert sum(parsed) == 2
    assert jobs(found) == expected
    assert compact(finished, found, whole=False).superseded == 1
    assert same(finished)


def test_what_was_added_is_added_to(finished: ResultPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    """After one kill upon another each record is parsed once."""
    monkeypatch.setattr(checkpoint, "WORTH_ROWS", 1)
    parsed = count_parsed(monkeypatch)
    for line, job_id in enumerate("xyz", 5):
        with finished.results.open("ab") as file:
            file.write(encode(record(job_id, line=line)))
        repair(finished)
    assert sum(parsed) == 3
    assert same(finished)


def test_changed_before_it_was_appended_to(finished: ResultPaths) -> None:
    """Changed by another program, then appended to, the results are read whole."""
    data = finished.results.read_bytes()
    finished.results.write_bytes(data.replace(b"xxx", b"xyz"))
    with finished.results.open("ab") as file:
        file.write(encode(record("x", line=5)))
    checkpointed = finished.checkpoint.read_bytes()
    assert same(finished)
    assert finished.checkpoint.read_bytes() != checkpointed


@pytest.mark.parametrize("damage", range(40))
def test_a_damaged_checkpoint_counts_for_nothing(finished: ResultPaths, damage: int) -> None:
    """Cut, changed or padded anywhere, it is passed over."""
    dice, data = random.Random(damage), bytearray(finished.checkpoint.read_bytes())
    place = dice.randrange(len(data))
    if damage % 3 == 0:
        del data[place:]
    elif damage % 3 == 1:
        data[place] ^= 1 << dice.randrange(8)
    else:
        data[place:place] = bytes(dice.randrange(1, 9))
    finished.checkpoint.write_bytes(data)
    assert same(finished)


@pytest.mark.parametrize("head", [b"", b"{}\n", b"\xff\n", b"null\n", b"x" * 100_000])
def test_rubbish_for_a_checkpoint(finished: ResultPaths, head: bytes) -> None:
    """What is no checkpoint at all is passed over."""
    finished.checkpoint.write_bytes(head)
    assert same(finished)


def test_a_head_that_lies_does_not_fill_the_memory(finished: ResultPaths) -> None:
    """A number of lines that the file cannot hold is not believed."""
    data = finished.checkpoint.read_bytes()
    assert b'"B",4' in data
    finished.checkpoint.write_bytes(data.replace(b'"B",4', b'"B",4000000000000'))
    assert same(finished)


def test_a_checkpoint_that_is_a_folder(finished: ResultPaths) -> None:
    """Nothing that stands in its place keeps a run from starting."""
    finished.checkpoint.unlink()
    finished.checkpoint.mkdir()
    held = repair(finished)
    held.table.note_line("a", 9)
    assert compact(finished, held).rewritten


MUTATIONS = st.lists(
    st.tuples(st.sampled_from(["flip", "cut", "drop", "double", "append"]), st.floats(0, 0.999)),
    min_size=1,
    max_size=3,
)


@given(mutations=MUTATIONS, keep_time=st.booleans())
def test_never_believed_over_the_data(
    tmp_path_factory: pytest.TempPathFactory,
    mutations: list[tuple[str, float]],
    keep_time: bool,
) -> None:
    """Whatever was done to the results since, in place or by another file, the data decides."""
    paths = finish(tmp_path_factory.mktemp("log") / "o.jsonl")
    before = paths.results.stat()
    data = bytearray(paths.results.read_bytes())
    for kind, where in mutations:
        mutate(data, kind, where)
    paths.results.write_bytes(data)
    if keep_time:
        os.utime(paths.results, ns=(before.st_atime_ns, before.st_mtime_ns))
    expected = jobs(scan(paths.results))
    assert jobs(repair(paths)) == expected


def mutate(data: bytearray, kind: str, where: float) -> None:
    """Damage a file as editors, disks and people do."""
    place = int(where * len(data))
    starts = [0, *(index + 1 for index, byte in enumerate(data[:-1]) if byte == 10)]
    start = max((at for at in starts if at <= place), default=0)
    end = data.find(b"\n", start) + 1 or len(data)
    if kind == "flip" and data:
        data[place] = data[place] ^ 1
    elif kind == "cut":
        del data[place:]
    elif kind == "drop":
        del data[start:end]
    elif kind == "double":
        data[start:start] = data[start:end]
    elif kind == "append":
        data += encode(record("x", line=7))


def _logs() -> Iterator[bytes]:
    yield encode(record("y", line=1))
    yield encode(record("z", line=2))
    yield encode(record("y", line=1, status="interrupted"))


def test_an_older_copy_of_the_results(finished: ResultPaths) -> None:
    """A file put back from a backup is read whole."""
    finished.results.unlink()
    finished.results.write_bytes(b"".join(_logs()))
    assert same(finished)
    assert repair(finished).table.get("a") is None


def test_a_small_file_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where reading takes no time, nothing more lies beside the results."""
    monkeypatch.setattr(checkpoint, "WORTH_ROWS", 20_000)
    assert not finish(tmp_path / "o.jsonl").checkpoint.exists()


def test_no_room_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That a checkpoint cannot be written changes nothing, and leaves no part of it."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "_write_sealed", full)
    paths = finish(tmp_path / "o.jsonl")
    assert sorted(tmp_path.iterdir()) == sorted([paths.results, paths.old])


def test_answers_of_a_run_that_is_killed_before_its_end(tmp_path: Path) -> None:
    """The first reading of a large log is kept at once, also where jobs stand in it twice."""
    paths = paths_for(tmp_path / "o.jsonl")
    paths.results.write_bytes(b"".join(_logs()))
    repair(paths)
    assert paths.checkpoint.exists()
    with paths.results.open("ab") as file:
        file.write(encode(record("z", line=2, status="failed")))
    assert same(paths)
