"""What the tests of the input room share: parsers, files, and a run over all lines."""

import json
from pathlib import Path
from typing import Any

from runner.config import Config
from runner.errors import InvalidLineError, LineProblem
from runner.input.check import Checked, check_file
from runner.input.parser import JobParser
from runner.input.source import open_source
from runner.models import Job
from runner.settings import Ask

MODEL = "sim/steady"


def make_parser(
    label: str = "jobs.jsonl", *, config: Config | None = None, bound: int = 1 << 20, **ask: Any
) -> JobParser:
    """A parser under these options; the model is the simulator's unless said otherwise."""
    ask.setdefault("model", MODEL)
    return JobParser(Ask(**ask), config or Config(), label, max_line_bytes=bound)


def encoded(line: Any) -> bytes:
    """A line as bytes; what is bytes already stays so."""
    return line if isinstance(line, bytes) else json.dumps(line).encode()


def parse(line: Any, **ask: Any) -> Job:
    """The job on line 3 of `jobs.jsonl`."""
    return make_parser(**ask).parse(encoded(line), 3)


def problem(line: Any, **ask: Any) -> LineProblem:
    """The problem on line 3 of `jobs.jsonl`; fails where there is none."""
    try:
        job = parse(line, **ask)
    except InvalidLineError as error:
        return error.problem
    raise AssertionError(f"{job} should not be valid")


def write_lines(path: Path, *lines: Any) -> str:
    """Write a file of lines, each ended; give its name."""
    path.write_bytes(b"".join(encoded(line) + b"\n" for line in lines))
    return str(path)


def check(
    name: str, parser: JobParser | None = None
) -> tuple[Checked, list[Job], list[LineProblem]]:
    """Check a whole file; give what was counted and called back."""
    jobs: list[Job] = []
    problems: list[LineProblem] = []
    source = open_source(name)
    checked = check_file(
        source,
        parser or make_parser("jobs.jsonl"),
        on_job=jobs.append,
        on_problem=problems.append,
    )
    return checked, jobs, problems
