"""What is said of lines in a results file that are no records."""

import tracemalloc
from pathlib import Path

import pytest

from runner.cli.main import run
from runner.reading.damage import Damage
from runner.reading.export import SHAPES, exported
from runner.reading.records import records
from tests.reading.support import answer, raw, results_file


def damaged(folder: Path, *numbers: int, lines: int = 9) -> Path:
    """A results file of which some lines, counted from 1, were overwritten."""
    path = results_file(folder, [answer(f"a{number}", number) for number in range(1, lines + 1)])
    whole = path.read_bytes().split(b"\n")
    for number in numbers:
        whole[number - 1] = b"\0" * len(whole[number - 1])
    path.write_bytes(b"\n".join(whole))
    return path


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (
            [7],
            (
                "{0}:7 is no record and is left out.\n"
                "The next  runner batch  keeps it in {1}.torn and asks its job again."
            ),
        ),
        (
            [2, 3, 9],
            (
                "3 lines are no records and are left out: {0}:2, :3, :9\n"
                "The next  runner batch  keeps them in {1}.torn and asks their jobs again."
            ),
        ),
        (
            [3, 4, 5, 6],
            (
                "4 lines are no records and are left out: {0}:3, :4, :5, ...\n"
                "The next  runner batch  keeps them in {1}.torn and asks their jobs again."
            ),
        ),
    ],
)
def test_corrupt_lines_are_counted_and_named(tmp_path: Path, numbers: list[int], said: str) -> None:
    """How many, on which lines of the file, and what the next run does with them."""
    path, told = damaged(tmp_path, *numbers), list[str]()
    assert len(list(records(path, Damage(told.append)))) == 9 - len(numbers)
    assert told == [said.format(path, path.name)]


@pytest.mark.parametrize("shape", SHAPES)
def test_each_file_is_told_of_once(tmp_path: Path, shape: str) -> None:
    """An export that reads a file twice says so once; what is whole comes out."""
    told: list[str] = []
    path = damaged(tmp_path, 4)
    if shape == "anthropic-batch":
        body = {"type": "message", "content": []}
        whole = results_file(tmp_path, [answer("a", 1, body=body), answer("b", 2, body=body)])
        path.write_bytes(whole.read_bytes().replace(b'{"v"', b"x", 1))
    assert b"".join(exported([path], shape, damage=Damage(told.append)))
    assert len(told) == 1


def test_a_line_that_is_being_written_is_no_damage(tmp_path: Path) -> None:
    """Neither a torn end nor blank lines are told of."""
    path, told = damaged(tmp_path), list[str]()
    with path.open("ab") as file:
        file.write(b'\n{"v":1,"id":"c","di')
    assert len(list(records(path, Damage(told.append)))) == 9
    assert told == []


def test_show_and_export_say_it_and_end_with_0(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both tell it on stderr before the answers, show the rest and call it no failure."""
    damaged(tmp_path, 2, 5)
    monkeypatch.chdir(tmp_path)
    said = (
        "2 lines are no records and are left out: jobs.results.jsonl:2, :5\n"
        "The next  runner batch  keeps them in jobs.results.jsonl.torn and asks their\n"
        "  jobs again.\n"
    )
    assert run(["export", "jobs.results.jsonl", "--as", "text"]) == 0
    out, err = capfdbinary.readouterr()
    assert out == b"".join(b"Answer a%d\n" % number for number in (1, 3, 4, 6, 7, 8, 9))
    assert err.decode() == said
    assert run(["show", "jobs.results.jsonl", "--limit", "2"]) == 0
    out, err = capfdbinary.readouterr()
    assert out == b"Answer a1\nAnswer a3\n"
    assert err.decode().startswith(said)


def test_nothing_but_corrupt_lines_is_no_results_file(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A file without one whole record is refused."""
    assert run(["show", str(damaged(tmp_path, *range(1, 10)))]) == 2
    assert b"is not a results file" in capfdbinary.readouterr().err


def test_counting_lines_takes_no_memory(tmp_path: Path) -> None:
    """The number of a line far into a large file is counted block by block."""
    big = raw({"x": "y" * 1_000_000})
    path = results_file(tmp_path, [answer(f"a{n}", n, response=big) for n in range(1, 21)])
    with path.open("ab") as file:
        file.write(b"broken\n")
    told: list[str] = []
    lines = records(path, Damage(told.append))
    tracemalloc.start()
    next(lines)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert told[0].startswith(f"{path}:21 is no record")
    assert peak < 8_000_000
