"""Failures grouped by their cause: messages that differ in nothing but numbers are one."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from runner.pricing.rates import usd
from runner.reading.report.fields import Record

_MOST_CAUSES = 200
_MOST_MESSAGES = 5_000
_LONGEST = 2_000
_VARYING = re.compile(r"\b[^\W\d]*+\d\w*")
"""Words with a digit. It looks at each word once, however long a hostile one is."""
OTHER = "other"


class Cause(NamedTuple):
    """What failures have in common."""

    status: str
    kind: str
    """The error's kind, or why the answer was cut."""
    http_status: int | None
    code: str | None
    message: str
    """With `#` for what holds a digit; empty for those of a kind that were too many to keep."""


@dataclass(slots=True)
class Failures:
    """The jobs that failed for one cause."""

    count: int = 0
    retryable: int = 0
    """How many of them the same command would ask again."""
    known: int = 0
    """What is known of their cost, in picodollars."""
    unknown: int = 0
    """How many may have cost something unknown."""
    example: tuple[str, int | None, str] | None = None
    """Id, line and message of that with the lowest line."""
    rows: list[int] = field(default_factory=list)
    """The first of them, by their number in the file."""

    @property
    def known_usd(self) -> float | None:
        """What is known; None where nothing is."""
        return usd(self.known) if self.known or self.unknown < self.count else None


class Causes:
    """Failures by cause, of which only so many are told apart."""

    def __init__(self) -> None:
        self.found: dict[Cause, Failures] = {}
        self._shapes: dict[str, str] = {}

    def add(self, record: Record, cost: int, *, unknown: bool) -> Failures:
        """Count one record that is no answer."""
        cause, message = self._cause(record)
        failures = self.found.get(cause)
        if failures is None:
            failures = self._new(cause)
        failures.count += 1
        again = record.status == "interrupted" or (record.error and record.error.retryable)
        failures.retryable += bool(again)
        failures.known += cost
        failures.unknown += unknown
        if failures.example is None or _before(record.line, failures.example[1]):
            failures.example = (record.id, record.line, message)
        return failures

    def _new(self, cause: Cause) -> Failures:
        if len(self.found) >= _MOST_CAUSES:
            cause = Cause(cause.status, cause.kind, None, None, "")
        if len(self.found) >= 2 * _MOST_CAUSES:
            cause = Cause(cause.status, OTHER, None, None, "")
        return self.found.setdefault(cause, Failures())

    def _cause(self, record: Record) -> tuple[Cause, str]:
        error, cut = record.error, record.interruption
        if record.status == "interrupted":
            reason = cut.reason if cut else ""
            message = (cut.message if cut else "")[:_LONGEST]
            cause = Cause("interrupted", reason or "unknown", None, None, self._shape(message))
            return cause, message
        if error is None:
            return Cause("failed", "internal", None, None, ""), "no reason is recorded"
        message = error.message[:_LONGEST]
        kind = error.kind or "unknown"
        shape = self._shape(message)
        return Cause("failed", kind, error.http_status, error.code, shape), message

    def _shape(self, message: str) -> str:
        shape = self._shapes.get(message)
        if shape is None:
            shape = _VARYING.sub("#", message)
            if len(self._shapes) < _MOST_MESSAGES:
                self._shapes[message] = shape
        return shape

    def most(self) -> list[tuple[Cause, Failures]]:
        """Give all causes, those of most jobs first."""
        return sorted(self.found.items(), key=lambda item: (-item[1].count, item[0].kind))


def _before(line: int | None, other: int | None) -> bool:
    return line is not None and (other is None or line < other)
