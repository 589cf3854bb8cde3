"""A whole file checked before anything is sent, in blocks; never held in memory."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from runner.errors import LineProblem, UsageError
from runner.input.ids import IdBook, KnownIds
from runner.input.intake import Intake, blank, id_of
from runner.input.lines import Line, LineSplitter
from runner.input.lineset import LineSet
from runner.input.parser import JobParser
from runner.input.source import BLOCK_BYTES, Fingerprint, Source, fingerprint
from runner.models import Job

PROBLEMS_KEPT = 20
REPEATS_KEPT = 5


@dataclass(slots=True, kw_only=True)
class Checked:
    """What a whole file holds."""

    fingerprint: Fingerprint
    """As the file was while it was checked."""
    lines: int = 0
    """The highest line number, blank lines counted."""
    jobs: int = 0
    """Lines that can be asked."""
    invalid: int = 0
    problems: list[LineProblem] = field(default_factory=list)
    """The first 20."""
    invalid_lines: LineSet = field(default_factory=LineSet)
    suffixes: dict[int, int] = field(default_factory=dict)
    """Line to the number behind its id, of jobs that repeat an earlier line."""
    models: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Jobs by provider and model."""
    first: Job | None = None

    @property
    def repeats(self) -> int:
        """Jobs without an id whose content stood before: asked twice."""
        return len(self.suffixes)

    @property
    def repeat_lines(self) -> list[int]:
        """Where the first few of them stand."""
        return list(self.suffixes)[:REPEATS_KEPT]


def check_file(
    source: Source,
    parser: JobParser,
    *,
    on_job: Callable[[Job], None],
    on_problem: Callable[[LineProblem], None] = lambda _problem: None,
) -> Checked:
    """Read every line once, calling back in the order of the file.

    Raises UsageError where the whole file is at fault: no jobs but a table, a results file, no
    model anywhere, or changed while it was read.
    """
    path, seen = source.path, fingerprint(source)
    if path is None or seen is None:
        raise UsageError(f"{source.label} cannot be read twice, so it cannot be checked first.")
    checked = Checked(fingerprint=seen)
    book = IdBook()
    checked.suffixes = book.suffixes
    finder = _FirstUse(path, parser, book)
    intake = Intake(parser, book, first_use=finder)
    for checked.lines, raw in _lines(path, parser.max_line_bytes):
        if blank(raw):
            continue
        taken = intake.take(raw, checked.lines)
        if isinstance(taken, Job):
            _count(checked, taken)
            on_job(taken)
        else:
            _note(checked, taken)
            on_problem(taken)
    if fingerprint(source) != seen:
        raise UsageError(
            f"{source.label} changed while it was read; nothing was sent.\n"
            "Start again when whatever writes it has ended."
        )
    return checked


def count_lines(source: Source, parser: JobParser) -> int:
    """Count the lines that are not blank: the ordinals that a selection chooses from."""
    if source.path is None:
        raise UsageError(f"{source.label} cannot be read twice, so it cannot be counted first.")
    return sum(1 for _, raw in _lines(source.path, parser.max_line_bytes) if not blank(raw))


def _count(checked: Checked, job: Job) -> None:
    checked.jobs += 1
    checked.models[job.provider, job.model] += 1
    if checked.first is None:
        checked.first = job


def _note(checked: Checked, problem: LineProblem) -> None:
    checked.invalid += 1
    checked.invalid_lines.add(problem.line)
    if len(checked.problems) < PROBLEMS_KEPT:
        checked.problems.append(problem)


def _lines(path: Path, max_line_bytes: int) -> Iterator[tuple[int, Line]]:
    splitter = LineSplitter(max_line_bytes)
    try:
        with path.open("rb", buffering=0) as file:
            while block := file.read(BLOCK_BYTES):
                yield from splitter.feed(block)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    yield from splitter.finish()


class _FirstUse:
    """Looks a second time for who had an id first; only where one is used twice.

    After the problems that are shown it looks no more, so a file of nothing but doubles is not
    read over and over.
    """

    def __init__(self, path: Path, parser: JobParser, book: IdBook) -> None:
        self._path = path
        self._parser = parser
        self._book = book
        self._looks_left = PROBLEMS_KEPT

    def __call__(self, job_id: str, before: int) -> int | None:
        if self._looks_left == 0:
            return None
        self._looks_left -= 1
        # Most ids stand in the line as they are; decoding only those lines is ten times faster.
        needle = json.dumps(job_id, ensure_ascii=False)[1:-1].encode()
        return self._find(job_id, before, needle) or self._find(job_id, before, b"")

    def _find(self, job_id: str, before: int, needle: bytes) -> int | None:
        ids = KnownIds(self._book.suffixes)
        for line, raw in _lines(self._path, self._parser.max_line_bytes):
            if line >= before:
                break
            if isinstance(raw, bytes) and needle in raw and not blank(raw):
                found = id_of(self._parser, raw, line, ids)
                if found == job_id:
                    return line
        return None
