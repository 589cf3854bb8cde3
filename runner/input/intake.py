"""Lines taken in one after the other: what the check and the reader have in common."""

from runner.errors import InvalidLineError, LineProblem, UsageError
from runner.input.digest import ID_DIGITS, bytes_id
from runner.input.ids import Ids
from runner.input.lines import Line, Unread
from runner.input.parser import JobParser
from runner.input.problems import BadLineAt, ForeignError
from runner.models import Job


def blank(raw: Line) -> bool:
    """Whether a line is passed over: empty, or white space only."""
    return isinstance(raw, bytes) and (not raw or raw.isspace())


def raw_id(raw: Line) -> str:
    """Name a line by its bytes."""
    return raw.sha256[:ID_DIGITS] if isinstance(raw, Unread) else bytes_id(raw)


class Intake:
    """Makes a job or a named problem of each line."""

    def __init__(
        self,
        parser: JobParser,
        ids: Ids,
        *,
        resumed: bool = False,
        as_it_comes: bool = False,
    ) -> None:
        """Begin before the first line.

        `resumed`: the file was checked before, so its first line need not say what it is.
        `as_it_comes`: once a line was taken, whatever is wrong is a matter of its line alone.
        """
        self._parser = parser
        self._ids = ids
        self.begun = resumed
        """Whether an earlier line was a job or could have been one."""
        self._as_it_comes = as_it_comes

    def take(self, raw: Line, line: int) -> Job | LineProblem:
        """Parse one line that is not blank. Raises UsageError where the whole input is at fault."""
        try:
            job = self._parser.parse(raw, line, self._ids)
        except BadLineAt as bad:
            if isinstance(bad.cause, ForeignError) and not self.begun:
                raise UsageError(bad.cause.advice) from None
            self.begun = True
            return self._named(bad.problem, raw)
        except UsageError as error:
            if not (self.begun and self._as_it_comes):
                raise
            message = " ".join(str(error).split())
            problem = LineProblem(f"{self._parser.label}:{line}", line, message)
            return self._named(problem, raw)
        self.begun = True
        return job

    def _named(self, problem: LineProblem, raw: Line) -> LineProblem:
        name = self._ids.name_invalid(problem.id, raw_id(raw), problem.line)
        return LineProblem(problem.where, problem.line, problem.message, name)


def id_of(parser: JobParser, raw: Line, line: int, ids: Ids) -> str | None:
    """The id that a line goes by, be it a job or not; None where it has none of its own."""
    try:
        return parser.parse(raw, line, ids).id
    except InvalidLineError as bad:
        return bad.problem.id
