"""Why a line is no job, on the way from where it is noticed to where it is told.

`BadLineError` is raised deep down, where neither file nor line is known; the parser turns it into
an `InvalidLineError` with both.
"""

from runner.errors import InvalidLineError, LineProblem


class BadLineError(Exception):
    """A line cannot be asked; the text is the reason, in words for a person."""


class ForeignError(BadLineError):
    """A line that is no attempt at a job at all: a table's row, or a result.

    `advice` speaks of the whole file, for when its very first line is one.
    """

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.advice = advice


class BadLineAt(InvalidLineError):  # noqa: N818 - it is `InvalidLineError` and keeps its cause
    """An `InvalidLineError` that still knows what was noticed."""

    def __init__(self, problem: LineProblem, cause: BadLineError) -> None:
        super().__init__(problem)
        self.cause = cause
