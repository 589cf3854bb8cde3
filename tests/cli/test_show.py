"""`runner show`: texts on stdout, everything about them on stderr."""

import json
import sys
from pathlib import Path

import pytest

from runner.cli.main import run
from runner.models import Result
from tests.reading.support import AT, answer, failure, raw, results_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Seven records, the second failed."""
    records: list[Result] = [answer(f"a{number}", number) for number in range(1, 8)]
    records[1] = failure("a2", 2)
    return results_file(tmp_path, records)


def test_the_first_few_answers(path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Five of them, each text ended by a newline, headings beside them."""
    assert run(["show", str(path)]) == 0
    out, err = capfdbinary.readouterr()
    assert out == b"Answer a1\nAnswer a3\nAnswer a4\nAnswer a5\n"
    assert err.decode().splitlines() == [
        "-- a1 (line 1): succeeded, 2 tokens, sim/steady",
        "-- a2 (line 2): failed, sim/steady",
        "   error (invalid_request, HTTP 400): prompt is too long",
        "-- a3 (line 3): succeeded, 2 tokens, sim/steady",
        "-- a4 (line 4): succeeded, 2 tokens, sim/steady",
        "-- a5 (line 5): succeeded, 2 tokens, sim/steady",
        "-- There are more: --limit N shows more of them, an ID shows one whole.",
    ]


def test_one_answer_goes_through_a_pipe_unchanged(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """No newline is added and no character is touched; all else is on stderr."""
    request = raw({"messages": [{"role": "user", "content": "Why\nso \x1b?"}]})
    record = answer("a", text="x\x1b[31m", request=request, started_at=AT, duration_s=2.1)
    path = results_file(tmp_path, [record])
    assert run(["show", str(path), "a"]) == 0
    out, err = capfdbinary.readouterr()
    assert out == b"x\x1b[31m"
    assert err.decode().splitlines() == [
        "-- a (line 1): succeeded, 2 tokens, sim/steady",
        "   | user: Why",
        "   | so \\x1b?",
        "   tokens    9 in, 2 out",
        f"   time      2.1s, {AT}",
    ]


def test_a_terminal_is_not_commanded(
    tmp_path: Path,
    capfdbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There control sequences are shown, the text ends its line, and headings are dim."""
    path = results_file(tmp_path, [answer("a", text="x\x1b[31m\ty")])
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert run(["show", str(path), "a"]) == 0
    out, err = capfdbinary.readouterr()
    assert out == b"x\\x1b[31m\ty\n"
    assert err.startswith(b"\x1b[2m-- a (line 1)")
    monkeypatch.setenv("NO_COLOR", "1")
    assert run(["show", str(path), "a"]) == 0
    assert capfdbinary.readouterr().err.startswith(b"-- a (line 1)")


def test_the_failed_ones(path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Only they are told of, and where there are none that is said."""
    assert run(["show", str(path), "--failed"]) == 0
    out, err = capfdbinary.readouterr()
    assert out == b""
    assert err.startswith(b"-- a2 (line 2): failed")
    assert run(["show", str(path), "--status", "interrupted"]) == 0
    assert capfdbinary.readouterr().err.endswith(b"holds no such records.\n")


def test_whole_records_for_programs(path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """With --json the record lines stand on stdout as they are, all of them unless limited."""
    assert run(["show", str(path), "--json"]) == 0
    out, err = capfdbinary.readouterr()
    assert (out, err) == (path.read_bytes(), b"")
    assert run(["show", str(path), "--json", "--limit", "2"]) == 0
    assert [json.loads(line)["id"] for line in capfdbinary.readouterr().out.splitlines()] == [
        "a1",
        "a2",
    ]


def test_several_ids_come_in_the_order_asked_for(
    path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Their texts follow each other, a line each."""
    assert run(["show", str(path), "a5", "a1"]) == 0
    assert capfdbinary.readouterr().out == b"Answer a5\nAnswer a1\n"


def test_an_empty_file_holds_no_records_yet(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A run that has just begun is no error."""
    assert run(["show", str(results_file(tmp_path, []))]) == 0
    assert capfdbinary.readouterr().err.endswith(b"holds no records yet.\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["a22"], "holds no record with the id a22. Did you mean a2?"),
        (["--failed", "--status", "succeeded"], "--failed and --status exclude each other."),
        (["--limit", "0"], "--limit"),
    ],
)
def test_what_cannot_be_shown_is_exit_2(
    arguments: list[str], told: str, path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Nothing is on stdout, and stderr says what to do."""
    assert run(["show", str(path), *arguments]) == 2
    out, err = capfdbinary.readouterr()
    assert out == b""
    assert told in " ".join(err.decode().split())
