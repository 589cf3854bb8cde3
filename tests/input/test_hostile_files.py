"""Files that would fill the memory or hang, given to the real process."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes.running import PATIENCE_S, command, environment

GIGABYTE = 1 << 30
MEGABYTE = 1 << 20
MOST_MEGABYTES = 250
RECORD = b'{"v":1,"id":"a","digest":null,"line":1,"status":"failed","text":"x"}'


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended, and the most memory it had."""

    code: int
    text: str
    megabytes: float


WATCH = (
    "import resource, subprocess, sys; code = subprocess.call(sys.argv[1:]); "
    "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)
"""A small process between: a child of this one would be charged with this one's memory."""


def run(folder: Path, *arguments: str) -> Ended:
    """Run to the end, watching the memory."""
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *command(*arguments)],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=2 * PATIENCE_S,
        check=True,
    )
    text, _, last = done.stdout.rstrip("\n").rpartition("\n")
    code, peak = last.split()
    megabytes = int(peak) / (MEGABYTE if sys.platform == "darwin" else 1024)
    return Ended(int(code), text, megabytes)


def sparse(path: Path) -> None:
    """One line of a gigabyte of NUL bytes, which takes no room on the disk."""
    with path.open("wb") as file:
        file.truncate(GIGABYTE)


def writing(content: bytes) -> Callable[[Path], None]:
    """Say what stands in a file."""

    def write(path: Path) -> None:
        path.write_bytes(content)

    return write


BOMB = b"[" * 100_000
HOSTILE: dict[str, tuple[Callable[[Path], None], str, float]] = {
    "a gigabyte in one line": (sparse, "1,073,741,824 bytes; at most 67,108,864", MOST_MEGABYTES),
    "a list in a list ...": (writing(BOMB), "nested too deep", MOST_MEGABYTES),
    "a bomb in a job": (
        writing(b'{"prompt": "x", "metadata": ' + BOMB + b"]" * 100_000 + b"}\n"),
        "nested too deep",
        MOST_MEGABYTES,
    ),
    "NUL bytes": (writing(b'{"prompt": "a\0b"}\n' * 9), "NUL character", MOST_MEGABYTES),
    "UTF-16": (writing('{"prompt": "hi"}\n'.encode("utf-16")), "iconv", MOST_MEGABYTES),
    "a line above the bound": (
        writing(b'{"prompt": "' + b"x" * (64 * MEGABYTE) + b'"}\n'),
        "at most 67,108,864",
        500,
    ),
    "any bytes": (writing(bytes(range(256)) * 4000), "not UTF-8", MOST_MEGABYTES),
}


@pytest.mark.parametrize(
    ("name", "kind"),
    # A gigabyte takes seconds; both commands check it in the same way.
    [*(("check", kind) for kind in HOSTILE), *(("batch", kind) for kind in list(HOSTILE)[1:])],
)
def test_hostile_jobs_are_refused(name: str, kind: str, tmp_path: Path) -> None:
    """Exit 2 with the line and the reason, little memory, nothing sent or written."""
    write, words, megabytes = HOSTILE[kind]
    write(tmp_path / "jobs.jsonl")
    ended = run(tmp_path, name, "jobs.jsonl", "-m", "sim/steady")
    assert ended.code == 2, ended.text
    assert words in ended.text
    assert "jobs.jsonl:1:" in ended.text
    assert "Traceback" not in ended.text
    assert ended.megabytes < megabytes
    assert not (tmp_path / "jobs.results.jsonl").exists()


def test_a_line_of_the_longest_length_is_a_job(tmp_path: Path) -> None:
    """A job of 64 MiB is checked in a few times its size."""
    around = b'{"prompt": ""}'
    line = b'{"prompt": "' + b"x" * (64 * MEGABYTE - len(around)) + b'"}'
    (tmp_path / "jobs.jsonl").write_bytes(line + b"\n")
    ended = run(tmp_path, "check", "jobs.jsonl", "-m", "sim/steady", "--json")
    assert ended.code == 0, ended.text[:2000]
    assert ended.megabytes < 700


def test_a_million_empty_lines_are_no_jobs(tmp_path: Path) -> None:
    """Nothing to ask is said, at once and in little memory."""
    (tmp_path / "jobs.jsonl").write_bytes(b"\n" * 1_000_000)
    ended = run(tmp_path, "check", "jobs.jsonl", "-m", "sim/steady")
    assert "Traceback" not in ended.text
    assert ended.megabytes < MOST_MEGABYTES


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro m(n) %}{% if n %}{{ m(n-1) }}{{ m(n-1) }}{% endif %}{% endmacro %}{{ m(90) }}",
        "{{ 'x'|center(10**9) }}",
    ],
)
def test_a_template_that_runs_away_is_a_bad_line(template: str, tmp_path: Path) -> None:
    """Exit 2 with the row and the reason, soon and in little memory."""
    (tmp_path / "rows.jsonl").write_bytes(b'{"x": 1}\n' * 2)
    ended = run(tmp_path, "check", "rows.jsonl", "-m", "sim/steady", "-t", template)
    assert ended.code == 2, ended.text
    assert "rows.jsonl:1: the template takes too many steps" in ended.text or (
        "rows.jsonl:1: a number given to a filter" in ended.text
    )
    assert ended.megabytes < MOST_MEGABYTES


@pytest.mark.parametrize(
    "kind", ["a gigabyte in one line", "a list in a list ...", "UTF-16", "any bytes"]
)
def test_hostile_results_are_left_alone(kind: str, tmp_path: Path) -> None:
    """A results file that is not ours is refused, untouched, in little memory."""
    (tmp_path / "jobs.jsonl").write_bytes(b'{"id": "a", "prompt": "hi"}\n')
    results = tmp_path / "o.jsonl"
    HOSTILE[kind][0](results)
    before = results.stat()
    ended = run(tmp_path, "batch", "jobs.jsonl", "-m", "sim/steady", "-o", "o.jsonl")
    assert ended.code == 2, ended.text
    assert "o.jsonl" in ended.text
    assert "Traceback" not in ended.text
    assert ended.megabytes < MOST_MEGABYTES
    assert (results.stat().st_size, results.stat().st_mtime_ns) == (
        before.st_size,
        before.st_mtime_ns,
    )


@pytest.mark.parametrize(
    "odd",
    [
        b'{"v":1,"id":"z","digest":null,"status":"failed","x":' + BOMB + b"]" * 100_000 + b"}",
        BOMB,
        b"\0" * 100_000,
        RECORD[:-9] + b'"\xff"}',
    ],
    ids=["a bomb in a record", "a bomb", "NUL bytes", "not UTF-8"],
)
def test_odd_lines_in_results_stop_nothing(odd: bytes, tmp_path: Path) -> None:
    """A line among the results that is none is kept aside, and the run does its work."""
    (tmp_path / "jobs.jsonl").write_bytes(b'{"id": "b", "prompt": "hi"}\n')
    (tmp_path / "o.jsonl").write_bytes(RECORD + b"\n" + odd + b"\n")
    ended = run(tmp_path, "batch", "jobs.jsonl", "-m", "sim/steady", "-o", "o.jsonl")
    assert "Traceback" not in ended.text
    assert ended.code == 0, ended.text
    assert (tmp_path / "o.jsonl.torn").read_bytes() == odd + b"\n"
    for reader in ("show", "report", "export"):
        assert "Traceback" not in run(tmp_path, reader, "o.jsonl").text
