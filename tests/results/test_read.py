"""Results read back, also while they are written."""

from pathlib import Path

import pytest

from runner.results.encode import decode, encode
from runner.results.read import attempts_of, standing
from runner.results.scan import scan
from tests.results.build import attempt, record, write_log


def ids(path: Path) -> list[str]:
    """Give the ids in the order in which a reader gets them."""
    return [decode(line).id for line in standing(path)]


def test_input_order(tmp_path: Path) -> None:
    """A reader gets one record a job in input order, those of no line last."""
    log = [
        record("c", line=3),
        record("tail"),
        record("a", line=1, status="failed"),
        record("b", line=2),
        record("a", line=1),
    ]
    assert ids(write_log(tmp_path / "o", log).results) == ["a", "b", "c", "tail"]


def test_being_written(tmp_path: Path) -> None:
    """A torn last line is passed over; a last record without its newline is not."""
    path = write_log(tmp_path / "o", [record("a")]).results
    with path.open("ab") as file:
        file.write(encode(record("b"))[:30])
    assert ids(path) == ["a"]
    with path.open("ab") as file:
        file.write(encode(record("b"))[30:-1])
    assert ids(path) == ["a", "b"]


def test_put_in_order_meanwhile(tmp_path: Path) -> None:
    """A reader that has begun goes on in the file it opened."""
    path = write_log(tmp_path / "o", [record("a"), record("b"), record("c")]).results
    reader = standing(path)
    first = next(reader)
    write_log(tmp_path / "new", [record("x")]).results.replace(path)
    assert [decode(line).id for line in (first, *reader)] == ["a", "b", "c"]


def test_missing(tmp_path: Path) -> None:
    """A file that is not there is the caller's to explain."""
    with pytest.raises(FileNotFoundError):
        next(standing(tmp_path / "o"))


def test_earlier_attempts(tmp_path: Path) -> None:
    """The attempts of a record can be carried on by the next."""
    log = [record("a", attempts=[attempt("r1"), attempt("r2")]), record("b")]
    path = write_log(tmp_path / "o", log).results
    table = scan(path).table
    first, second = table.get("a"), table.get("b")
    assert first is not None
    assert second is not None
    assert attempts_of(path, first) == [attempt("r1"), attempt("r2")]
    assert attempts_of(path, second) == []
