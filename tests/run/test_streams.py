"""Batches over inputs that cannot be read twice: order, limits, stops and changed questions."""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from runner.errors import ExitCode
from tests.run.commands import batch, records, settings, write_lines
from tests.simulated import Endpoints, reset_stats, simulator_in_thread, stats

LINES = [{"id": f"j{number}", "prompt": f"Tell me about {number}."} for number in range(6)]


@pytest.fixture(scope="module")
def endpoints() -> Iterator[Endpoints]:
    """A simulator."""
    with simulator_in_thread() as found:
        yield found


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """A pipe with a name, into which the jobs are written once it is read."""
    path, jobs = tmp_path / "fifo", write_lines(tmp_path / "jobs.jsonl", LINES)
    os.mkfifo(path)
    refill(path, jobs)
    return path


def refill(fifo: Path, jobs: Path) -> None:
    """Write jobs into the pipe as soon as somebody reads."""

    def write() -> None:
        with suppress(BrokenPipeError):  # --limit reads no further
            fifo.write_bytes(jobs.read_bytes())

    threading.Thread(target=write, daemon=True).start()


def lines_of(folder: Path) -> list[tuple[int, str]]:
    """Each record's line and id."""
    return [(record["line"], record["id"]) for record in records(folder / "out.jsonl")]


def test_what_was_not_read_again_keeps_its_place(
    endpoints: Endpoints, fifo: Path, tmp_path: Path
) -> None:
    """A second run that reads only the first lines leaves the others where they stood."""
    everything = [(number + 1, line["id"]) for number, line in enumerate(LINES)]
    wanted = settings(fifo, output=tmp_path / "out.jsonl")
    assert batch(endpoints, wanted) is ExitCode.OK
    assert lines_of(tmp_path) == everything
    refill(fifo, tmp_path / "jobs.jsonl")
    limited = settings(fifo, output=tmp_path / "out.jsonl", limit=2, retry="all")
    assert batch(endpoints, limited) is ExitCode.OK
    assert lines_of(tmp_path) == everything
    assert [len(r["attempts"]) for r in records(tmp_path / "out.jsonl")] == [2, 2, 1, 1, 1, 1]


def test_what_the_whole_stream_does_not_hold_stands_last(
    endpoints: Endpoints, fifo: Path, tmp_path: Path
) -> None:
    """A stream read to its end says which recorded jobs it no longer holds."""
    wanted = settings(fifo, output=tmp_path / "out.jsonl")
    assert batch(endpoints, wanted) is ExitCode.OK
    refill(fifo, write_lines(tmp_path / "jobs.jsonl", LINES[:0:-1]))
    assert batch(endpoints, wanted) is ExitCode.OK
    expected = [(n + 1, line["id"]) for n, line in enumerate(LINES[:0:-1])]
    assert lines_of(tmp_path) == [*expected, (None, "j0")]


def test_answers_to_other_questions_are_kept_and_told(
    endpoints: Endpoints, fifo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another model over a stream replaces nothing, says so and is not all right."""
    assert batch(endpoints, settings(fifo, output=tmp_path / "out.jsonl")) is ExitCode.OK
    first = (tmp_path / "out.jsonl").read_bytes()
    reset_stats(endpoints)
    refill(fifo, tmp_path / "jobs.jsonl")
    other = settings(fifo, "here/other", output=tmp_path / "out.jsonl")
    assert batch(endpoints, other) is ExitCode.SOME_UNANSWERED
    assert "6 recorded answers are to another question" in capsys.readouterr().err
    assert (tmp_path / "out.jsonl").read_bytes() == first
    refill(fifo, tmp_path / "jobs.jsonl")
    kept = settings(fifo, "here/other", output=tmp_path / "out.jsonl", retry="failed")
    assert batch(endpoints, kept) is ExitCode.OK
    assert stats(endpoints)["requests"] == 0
