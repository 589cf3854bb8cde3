"""A whole file checked before anything is sent, in blocks; never held in memory."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from runner.errors import LineProblem, UsageError
from runner.input.file_ids import FileIds
from runner.input.file_lines import FileLines
from runner.input.intake import Intake, blank
from runner.input.lines import Cut, Line, Unread
from runner.input.lineset import LineSet
from runner.input.parser import JobParser
from runner.input.source import Fingerprint, Source, fingerprint
from runner.input.stretch import Stretch, stretches
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
    on_stretch: Callable[[Stretch], None] | None = None,
) -> Checked:
    """Read every line once, calling back in the order of the file.

    With `on_stretch` usual jobs are called back many at once, and only others to `on_job`, which
    is many times faster. Raises UsageError where the whole file is at fault: no jobs but a table,
    a results file, no model anywhere, or changed while it was read.
    """
    seen = fingerprint(source)
    if source.path is None or seen is None:
        raise UsageError(f"{source.label} cannot be read twice, so it cannot be checked first.")
    checked = Checked(fingerprint=seen)
    with FileLines(source, parser.max_line_bytes) as file:
        checking = _Checking(checked, file, parser, on_job, on_problem, on_stretch)
        for cut in file.cuts():
            checking.take(cut)
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
    with FileLines(source, parser.max_line_bytes) as file:
        return sum(not blank(raw) for cut in file.cuts() for raw in cut.lines)


class _Checking:
    """A check under way."""

    def __init__(
        self,
        checked: Checked,
        file: FileLines,
        parser: JobParser,
        on_job: Callable[[Job], None],
        on_problem: Callable[[LineProblem], None],
        on_stretch: Callable[[Stretch], None] | None,
    ) -> None:
        self._checked = checked
        self._file = file
        self._parser = parser
        self._on_job = on_job
        self._on_problem = on_problem
        self._on_stretch = on_stretch or self._each
        self._expected = 0
        """How many lines the file may have, by those that were read."""
        self._ids = FileIds(file, parser)
        checked.suffixes = self._ids.suffixes
        self._intake = Intake(parser, self._ids)

    def take(self, cut: Cut) -> None:
        """Take the next lines of the file."""
        self._file.mark(cut)
        if cut.end:
            lines = cut.first + len(cut.lines)
            self._expected = lines * self._checked.fingerprint.size // cut.end
        if self._parser.takes_rows:
            self._ids.make_room(len(cut.lines), self._expected)
        taken = 0
        for stretch in stretches(self._parser, cut):
            start = stretch.first - cut.first
            self._take_lines(cut, taken, start)
            self._take_stretch(stretch)
            taken = start + len(stretch)
        self._take_lines(cut, taken, len(cut.lines))
        self._checked.lines = cut.first + len(cut.lines) - 1

    def _take_lines(self, cut: Cut, start: int, end: int) -> None:
        for at in range(start, end):
            self._take_line(cut.lines[at], cut.first + at)

    def _take_stretch(self, stretch: Stretch) -> None:
        """Take usual jobs; those that may repeat an earlier line are looked at one by one."""
        self._intake.begun = True
        taken = 0
        for at in self._ids.enter(stretch, self._expected):
            self._report(stretch.part(taken, at))
            self._take_line(stretch.raws[at], stretch.first + at)
            taken = at + 1
        self._report(stretch.part(taken, len(stretch)))

    def _take_line(self, raw: Line, line: int) -> None:
        if blank(raw):
            return
        if isinstance(raw, Unread):
            self._ids.be_exact()
        taken = self._intake.take(raw, line)
        if isinstance(taken, Job):
            self._count(taken)
            self._on_job(taken)
        else:
            self._note(taken)
            self._on_problem(taken)

    def _report(self, stretch: Stretch) -> None:
        if not stretch:
            return
        checked = self._checked
        checked.jobs += len(stretch)
        checked.models.update(stretch.models)
        if checked.first is None:
            checked.first = stretch.job(0)
        self._on_stretch(stretch)

    def _each(self, stretch: Stretch) -> None:
        for at in range(len(stretch)):
            self._on_job(stretch.job(at))

    def _count(self, job: Job) -> None:
        checked = self._checked
        checked.jobs += 1
        checked.models[job.provider, job.model] += 1
        if checked.first is None:
            checked.first = job

    def _note(self, problem: LineProblem) -> None:
        checked = self._checked
        checked.invalid += 1
        checked.invalid_lines.add(problem.line)
        if len(checked.problems) < PROBLEMS_KEPT:
            checked.problems.append(problem)
