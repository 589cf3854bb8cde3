"""A check as it would be written if time and memory were no matter: one line after the other."""

from collections import Counter
from dataclasses import dataclass, field

from runner.errors import LineProblem, UsageError
from runner.input.ids import IdBook
from runner.input.intake import Intake, blank
from runner.input.lines import LineSplitter
from runner.input.parser import JobParser
from runner.input.problems import BadLineError
from runner.models import Job


@dataclass
class Found:
    """What a check came to."""

    taken: list[Job | LineProblem] = field(default_factory=list)
    suffixes: dict[int, int] = field(default_factory=dict)
    refused: str | None = None
    """Why the whole file was refused."""

    @property
    def jobs(self) -> list[Job]:
        """The jobs among the lines."""
        return [one for one in self.taken if isinstance(one, Job)]

    @property
    def models(self) -> list[tuple[tuple[str, str], int]]:
        """Jobs by provider and model, in the order in which they came."""
        return list(Counter((job.provider, job.model) for job in self.jobs).items())


class LineBook(IdBook):
    """Every id with the line that bears it."""

    def __init__(self) -> None:
        super().__init__()
        self.bearers: dict[str, int] = {}

    def claim(self, job_id: str, line: int, given: bool) -> str:
        """Do as an `IdBook`, and name the line of the first use."""
        try:
            name = super().claim(job_id, line, given)
        except BadLineError as taken:
            on_line = f"on line {self.bearers[job_id]:,}"
            raise BadLineError(str(taken).replace("before", on_line)) from None
        self.bearers[name] = line
        return name

    def name_invalid(self, own: str | None, fallback: str, line: int = 0, /) -> str:
        """Do as an `IdBook`."""
        name = super().name_invalid(own, fallback)
        self.bearers[name] = line
        return name


def careful_check(data: bytes, parser: JobParser) -> Found:
    """Check a file's bytes; every id is held, and every line is read alone."""
    splitter = LineSplitter(parser.max_line_bytes)
    lines = [*splitter.feed(data), *splitter.finish()]
    book, found = LineBook(), Found()
    intake = Intake(parser, book)
    try:
        found.taken = [intake.take(raw, number) for number, raw in lines if not blank(raw)]
    except UsageError as error:
        found.refused = str(error)
    found.suffixes = book.suffixes
    return found
