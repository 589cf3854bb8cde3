"""Logs read into tables, and their ends mended."""

from pathlib import Path

import pytest
from hypothesis import given

from runner.errors import WriteError
from runner.models import ErrorRecord, Result, Status
from runner.results import lines as lines_module
from runner.results.compact import compact
from runner.results.encode import decode, encode
from runner.results.heads import ErrorHead, RecordHead
from runner.results.lines import BLOCK_BYTES
from runner.results.paths import paths_for
from runner.results.read import read_record
from runner.results.scan import repair, scan
from runner.results.table import ResultTable, digest_number
from tests.results import naive
from tests.results.build import digest, record, write_log


def test_missing_file(tmp_path: Path) -> None:
    """Where there is no file nothing is recorded."""
    found = scan(tmp_path / "out.jsonl")
    assert (found.lines, len(found.table), found.size, found.torn) == (0, 0, 0, 0)


def test_what_is_kept_of_a_record(tmp_path: Path) -> None:
    """Everything that decides about asking again is found in the table."""
    error = ErrorRecord(kind="overloaded", message="busy", retryable=True)
    failed = record("b", "b", "failed", error=error)
    paths = write_log(tmp_path / "o", [record("a", line=3, finish_reason="length"), failed])
    table = scan(paths.results).table
    first, second = table.get("a"), table.get("b")
    assert first is not None
    assert second is not None
    assert table.get("c") is None
    assert (first.status, first.line, first.finish_reason) == ("succeeded", 3, "length")
    assert (first.error_kind, first.retryable) == (None, False)
    assert (second.status, second.error_kind, second.retryable) == ("failed", "overloaded", True)
    assert second.asks(digest("b"))
    assert not second.asks(digest("a"))
    assert read_record(paths.results, second.offset, second.length) == failed


@given(log=naive.LOGS)
def test_standing_record(tmp_path_factory: pytest.TempPathFactory, log: list[Result]) -> None:
    """Per id and digest a succeeded line stands before others, else the last."""
    path = tmp_path_factory.mktemp("log") / "o"
    table = scan(write_log(path, log).results).table
    expected = naive.standing(log)
    assert len(table) == len(expected)
    for job_id, index in expected.items():
        found = table.get(job_id)
        assert found is not None
        assert read_record(path, found.offset, found.length) == log[index]


def head(job_id: str, error: ErrorHead | None = None) -> RecordHead:
    """Give what a scan reads of a record."""
    status: Status = "succeeded" if error is None else "failed"
    return RecordHead(v=1, id=job_id, digest=digest("a"), status=status, error=error)


def test_many_ids() -> None:
    """However many ids there are, and in which order they are asked for, none is confused."""
    table = ResultTable()
    for first in range(0, 5000, 500):
        heads = [head(f"job-{number}") for number in range(first, first + 500)]
        table.extend(first * 10, [10] * 500, heads)
    assert len(table) == 5000
    for order in (range(5000), range(4999, -1, -1), range(0, 5000, 3), [7, 7, 8, 7, 9, 8]):
        found = [table.get(f"job-{number}") for number in order]
        assert [one.offset for one in found if one] == [number * 10 for number in order]
    assert table.get("job-5000") is None


def test_digests_of_any_form() -> None:
    """A digest that is no hexadecimal number is still told from another."""
    assert digest_number("sha:x") != digest_number("sha:y")
    assert digest_number("sha:x") == digest_number("sha:x")
    assert digest_number(None) == 0


def test_more_words_than_the_schema_has() -> None:
    """A file with hundreds of error kinds is read; those beyond a byte are not told apart."""
    kinds = [f"kind-{number}" for number in range(300)]
    heads = [head(kind, ErrorHead(kind=kind, retryable=True)) for kind in kinds]
    table = ResultTable()
    table.extend(0, [1] * len(heads), heads)
    first, last = table.get("kind-240"), table.get("kind-299")
    assert first is not None
    assert last is not None
    assert (first.error_kind, last.error_kind) == ("kind-240", None)
    assert (last.status, last.retryable) == ("failed", True)


def test_torn_at_every_byte(tmp_path: Path) -> None:
    """Cut anywhere, the next run keeps every whole record and the bytes of the torn one."""
    log = [record("a", text="ä\u2028"), record("b", status="failed"), record("c", text="x")]
    whole = b"".join(encode(result) for result in log)
    ends = [whole.index(b"\n") + 1]
    while ends[-1] < len(whole):
        ends.append(whole.index(b"\n", ends[-1]) + 1)
    for cut in range(len(whole) + 1):
        paths = paths_for(tmp_path / f"{cut}.jsonl")
        paths.results.write_bytes(whole[:cut])
        found = repair(paths)
        kept = [end for end in ends if end - 1 <= cut]  # a record that lacks its newline is whole
        size = kept[-1] if kept else 0
        assert paths.results.read_bytes() == whole[:size]
        assert (found.size, found.lines) == (size, len(kept))
        assert found.torn == max(0, cut - size)
        torn = paths.torn.read_bytes() if paths.torn.exists() else b""
        assert torn == (whole[size:cut] + b"\n" if cut > size else b"")
        assert scan(paths.results).torn == 0


def test_corrupt_lines_are_counted_and_stay(tmp_path: Path) -> None:
    """A line in the middle that is no record is counted, not cut and not believed."""
    bad = [
        b"{",
        b"[]",
        b'{"v":1,"id":"x","digest":null,"status":"fine"}',
        b"\x00" * 50,
        b'{"v":1,"id":"\xff","digest":null,"status":"failed"}',
        b'{"v":1,"id":"x","digest":null,"line":-1,"status":"failed"}',
    ]
    content = encode(record("a")) + b"\n".join([*bad, b"", b" ", b""]) + encode(record("b"))
    paths = paths_for(tmp_path / "o")
    paths.results.write_bytes(content)
    found = repair(paths)
    assert (found.lines, len(found.corrupt), found.torn) == (2, len(bad), 0)
    assert paths.results.read_bytes() == content
    assert not paths.torn.exists()


@pytest.mark.parametrize("length", [BLOCK_BYTES - 1, BLOCK_BYTES, 3 * BLOCK_BYTES + 7])
def test_lines_longer_than_a_block(tmp_path: Path, length: int) -> None:
    """Records of any length are found where they stand, whatever the blocks."""
    log = [record("a", text="x" * length), record("b"), record("c", text="y" * length)]
    path = write_log(tmp_path / "o", log).results
    table = scan(path).table
    for result in log:
        found = table.get(result.id)
        assert found is not None
        assert path.read_bytes()[found.offset :][: found.length + 1] == encode(result)


def test_leftovers_of_a_killed_run_go(tmp_path: Path) -> None:
    """A half-written ordered copy is removed by the next run."""
    paths = write_log(tmp_path / "o", [record("a")])
    paths.temporary.write_bytes(b"half")
    repair(paths)
    assert not paths.temporary.exists()


def test_unreadable_results(tmp_path: Path) -> None:
    """Results that cannot be read are an error in words."""
    paths = paths_for(tmp_path / "o")
    paths.results.mkdir()
    with pytest.raises(WriteError, match="cannot write"):
        repair(paths)


def test_decode_what_the_table_points_at(tmp_path: Path) -> None:
    """The place in the table is exactly one record."""
    paths = write_log(tmp_path / "o", [record("a"), record("b", line=2)])
    found = scan(paths.results).table.get("b")
    assert found is not None
    assert decode(paths.results.read_bytes()[found.offset : found.offset + found.length]).line == 2


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_beyond_all_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: bytes
) -> None:
    """A line that is too long to be a record is not held, and kept aside piece by piece."""
    monkeypatch.setattr(lines_module, "LONGEST_RECORD", 2_000)
    monkeypatch.setattr(lines_module, "BLOCK_BYTES", 700)
    rubbish = b"x" * 5_000
    paths = write_log(tmp_path / "o", [record("a", line=1)])
    with paths.results.open("ab") as file:
        file.write(rubbish + end)
    found = repair(paths)
    assert (found.lines, len(found.corrupt)) == (1, len(end))
    found.table.note_line("a", 1)
    compact(paths, found)
    assert paths.results.read_bytes() == encode(record("a", line=1))
    assert paths.torn.read_bytes() == rubbish + b"\n"


def test_a_record_must_be_text_throughout(tmp_path: Path) -> None:
    """A flipped bit in a text that the scan passes over makes the record no record."""
    line = encode(record("a", line=1, text="grün")).replace(b"\xc3\xbc", b"\xc3\x3c")
    paths = write_log(tmp_path / "o", [])
    paths.results.write_bytes(line)
    assert scan(paths.results).corrupt == ((0, len(line) - 1),)
