"""Every error that a person or the engine has to act on, and the exit codes of the process.

`runner.cli.failures` is the one place that turns these into words on stderr and an exit code.
"""

from dataclasses import dataclass
from enum import IntEnum

from runner.models import Completion, ErrorKind, ErrorRecord, InterruptionReason
from runner.quota import Quota


class ExitCode(IntEnum):
    """What the process returns; see the README's table."""

    OK = 0
    SOME_UNANSWERED = 1
    USAGE = 2
    LIMIT = 3
    ACCOUNT = 4
    BATCHES_OUT = 5
    CANNOT_WRITE = 74
    LOCKED = 75
    SIGHUP = 129
    SIGINT = 130
    CLOSED_PIPE = 141
    SIGTERM = 143


class RunnerError(Exception):
    """An end that was foreseen: its text is a full message for a person, its code an exit code."""

    exit_code: ExitCode = ExitCode.USAGE


class UsageError(RunnerError):
    """Bad options, configuration or input. Nothing was sent."""


class LockedError(RunnerError):
    """Another run holds the results file."""

    exit_code = ExitCode.LOCKED


class WriteError(RunnerError):
    """Results could not be written; nothing recorded was damaged."""

    exit_code = ExitCode.CANNOT_WRITE
    lines_written = 0
    """Whole lines of what was to be written that are in the file all the same."""
    problem = ""
    """The first part of the text, without what to do."""
    remedy = ""
    """What lets the same write succeed, such as "Make room"."""
    no_room = False
    """Whether nothing but room is missing."""
    final = False
    """Whether trying again is of no use."""


@dataclass(frozen=True, slots=True)
class LineProblem:
    """One input line that cannot be asked. `where` is `jobs.jsonl:17`."""

    where: str
    line: int
    message: str
    id: str | None = None
    """The line's own id, where it could be read."""

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class InvalidLineError(Exception):
    """A line that is not a job; carries the problem as a record."""

    def __init__(self, problem: LineProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class ProviderError(Exception):
    """Any failure of one attempt, translated once at the provider's edge.

    Nothing above `runner.providers` sees an SDK's or an HTTP library's exception.
    """

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        retryable: bool,
        fatal: bool = False,
        http_status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        interruption: InterruptionReason | None = None,
        completion: Completion | None = None,
        unsent: bool = False,
        quota: Quota | None = None,
    ) -> None:
        """Create the error.

        `fatal`: the account was refused (bad key, no credit, spend limit), so nothing more may be
        sent to this provider. `retry_after_s`: seconds the server asked us to wait.
        `interruption`: set where the answer had begun and was cut. `completion`: what had come by
        then, or the body of an answer that cannot be used. `unsent`: the request certainly never
        left this machine. `quota`: what the response's headers, if any came, said of the limits.
        """
        super().__init__(message)
        self.kind: ErrorKind = kind
        self.message = message
        self.retryable = retryable
        self.fatal = fatal
        self.http_status = http_status
        self.code = code
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.interruption: InterruptionReason | None = interruption
        self.completion = completion
        self.unsent = unsent
        self.quota = quota

    @property
    def no_capacity(self) -> bool:
        """Whether there was no room at the tier that was asked for, whatever the account's limits.

        OpenAI says so with a 429 and Groq with a 498, neither of which any other overload has.
        """
        if self.kind != "overloaded" or self.interruption is not None:
            return False
        return self.http_status in (429, 498) or self.code == "resource_unavailable"

    def record(self) -> ErrorRecord:
        """The failure as it stands in a result."""
        return ErrorRecord(
            kind=self.kind,
            message=self.message,
            http_status=self.http_status,
            code=self.code,
            retryable=self.retryable,
            request_id=self.request_id,
        )


def internal_error(bug: Exception) -> ProviderError:
    """Make a failure of an exception that nobody expected while an answer was handled."""
    # The text of a foreign exception may hold anything, a key included; its type cannot.
    return ProviderError(
        "internal",
        f"runner could not handle this answer ({type(bug).__name__}); please report it",
        retryable=False,
    )
