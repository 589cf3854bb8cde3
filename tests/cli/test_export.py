"""`runner export`: a results file in another shape, on stdout or in a file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.cli.main import run
from tests.reading.support import answer, failure, results_file

CSV = (
    "id,status,text,finish_reason,model,input_tokens,output_tokens,error\n"
    "a,succeeded,Answer a,stop,sim/steady,9,2,\n"
    "b,failed,,,sim/steady,,,invalid_request: prompt is too long\n"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An answer and a failure."""
    return results_file(tmp_path, [answer("a", 1), failure("b", 2)])


def test_csv_on_stdout_is_the_default(
    path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """`runner export RESULTS > answers.csv` writes a table and says nothing."""
    assert run(["export", str(path)]) == 0
    assert capfdbinary.readouterr() == (CSV.encode(), b"")


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        (["--as", "text"], b"Answer a\n"),
        (["--as", "text", "-0"], b"Answer a\0"),
        (["-o", "-"], CSV.encode()),
    ],
)
def test_shapes_are_chosen_by_option(
    arguments: list[str], out: bytes, path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Texts end as asked for; `-o -` is stdout."""
    assert run(["export", str(path), *arguments]) == 0
    assert capfdbinary.readouterr().out == out


def test_a_file_is_written_whole(path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """`-o` replaces what stood there and leaves nothing else behind."""
    target = path.with_name("answers.csv")
    target.write_text("old")
    assert run(["export", str(path), "-o", str(target)]) == 0
    assert target.read_text() == CSV
    assert not list(path.parent.glob(".answers*"))
    assert capfdbinary.readouterr() == (b"", b"")


def test_a_failed_export_leaves_the_old_file(
    path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Where the results cannot be read nothing is replaced, and no half file stays."""
    target, foreign = path.with_name("answers.csv"), path.with_name("foreign")
    target.write_text("old")
    foreign.write_text("no results\n")
    assert run(["export", str(path), str(foreign), "-o", str(target)]) == 2
    assert target.read_text() == "old"
    assert not list(path.parent.glob(".answers*"))
    assert b"not a results file" in capfdbinary.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ([], 2, "RESULTS... is missing"),
        (["{path}", "--as", "xml"], 2, "xml"),
        (["{path}", "-0"], 2, "--null goes with --as text."),
        (["{path}", "-o", "{path}"], 2, "is the results file itself"),
        (["{path}", "--as", "anthropic-batch"], 2, "1 answer of OpenAI's APIs"),
        (["{path}", "-o", "{path}/x"], 74, "cannot be written"),
    ],
)
def test_what_cannot_be_exported_is_said(
    arguments: list[str],
    code: int,
    told: str,
    path: Path,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    """Nothing is written, the results stay, and stderr says why."""
    before = path.read_bytes()
    assert run(["export", *(text.format(path=path) for text in arguments)]) == code
    out, err = capfdbinary.readouterr()
    assert out == b""
    assert told in " ".join(err.decode().split())
    assert path.read_bytes() == before


def test_a_reader_that_has_gone_ends_it_in_silence(tmp_path: Path) -> None:
    """`runner export | head` ends with 141 and no message."""
    records = [answer(f"a{number}", number) for number in range(1, 2000)]
    path = results_file(tmp_path, records)
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "runner", "export", str(path)]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")
