"""Lines taken in one after the other: what the check and the reader have in common."""

from collections.abc import Callable

from runner.errors import InvalidLineError, LineProblem, UsageError
from runner.input.digest import ID_DIGITS, raw_id
from runner.input.ids import Ids
from runner.input.lines import Line, Overlong
from runner.input.parser import JobParser
from runner.input.problems import BadLineAt, BadLineError, ForeignError, IdTakenError
from runner.input.words import quoted
from runner.models import Job

FirstUse = Callable[[str, int], int | None]
"""Finds the line before the given one that has an id; None where that cannot be known."""


def blank(raw: Line) -> bool:
    """Whether a line is passed over: empty, or white space only."""
    return isinstance(raw, bytes) and (not raw or raw.isspace())


class Intake:
    """Makes a job or a named problem of each line."""

    def __init__(
        self,
        parser: JobParser,
        ids: Ids,
        *,
        first_use: FirstUse | None = None,
        resumed: bool = False,
        as_it_comes: bool = False,
    ) -> None:
        """Begin before the first line.

        `resumed`: the file was checked before, so its first line need not say what it is.
        `as_it_comes`: once a line was taken, whatever is wrong is a matter of its line alone.
        """
        self._parser = parser
        self._ids = ids
        self._first_use = first_use
        self._begun = resumed
        self._as_it_comes = as_it_comes

    def take(self, raw: Line, line: int) -> Job | LineProblem:
        """Parse one line that is not blank. Raises UsageError where the whole input is at fault."""
        try:
            job = self._parser.parse(raw, line, self._ids)
        except BadLineAt as bad:
            if isinstance(bad.cause, ForeignError) and not self._begun:
                raise UsageError(bad.cause.advice) from None
            self._begun = True
            return self._named(bad.problem, bad.cause, raw)
        except UsageError as error:
            if not (self._begun and self._as_it_comes):
                raise
            cause = BadLineError(" ".join(str(error).split()))
            problem = LineProblem(f"{self._parser.label}:{line}", line, str(cause))
            return self._named(problem, cause, raw)
        self._begun = True
        return job

    def _named(self, problem: LineProblem, cause: BadLineError, raw: Line) -> LineProblem:
        message = problem.message
        if isinstance(cause, IdTakenError) and self._first_use is not None:
            first = self._first_use(cause.job_id, problem.line)
            if first is not None:
                message = f"id {quoted(cause.job_id)} was used on line {first:,}"
        fallback = raw.sha256[:ID_DIGITS] if isinstance(raw, Overlong) else raw_id(raw)
        name = self._ids.name_invalid(problem.id, fallback)
        return LineProblem(problem.where, problem.line, message, name)


def id_of(parser: JobParser, raw: Line, line: int, ids: Ids) -> str | None:
    """The id that a line goes by, be it a job or not; None where it has none of its own."""
    try:
        return parser.parse(raw, line, ids).id
    except InvalidLineError as bad:
        return bad.problem.id
