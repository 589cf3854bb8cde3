"""Which jobs are asked again, as pure rules over what is recorded."""

from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum, auto
from typing import get_args

from runner.errors import UsageError
from runner.models import ErrorKind, FinishReason, Status
from runner.results.table import Recorded

_STATUSES = frozenset(get_args(Status))
_ERROR_KINDS = frozenset(get_args(ErrorKind))
_FINISH_REASONS = frozenset(get_args(FinishReason))
RETRYABLE = "retryable"
"""Failures worth a retry: no word of the user's, who gets them without `--retry`."""
WORDS = _STATUSES | _ERROR_KINDS | _FINISH_REASONS | {"changed", "unknown", "all"}
"""All that `--retry` may list."""


class Decision(Enum):
    """What becomes of a job at the start of a run."""

    NEW = auto()
    """No record: it is asked."""
    AGAIN = auto()
    """Asked before, and asked again."""
    DONE = auto()
    """It has its answer, which stays."""
    KEPT = auto()
    """It has no answer, and its record stays all the same."""
    LEFT = auto()
    """Sent by a run that was killed, without a record, and not to be sent again."""
    CHANGED = auto()
    """It has an answer to another question: the run must refuse to replace it unasked."""


@dataclass(frozen=True, slots=True)
class RetryKinds:
    """What `--retry` lists."""

    words: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> "RetryKinds":
        """Read `interrupted,length`. Raises UsageError for a word that names nothing."""
        words = [word.strip() for word in text.split(",") if word.strip()]
        for word in words:
            if word not in WORDS:
                raise UsageError(_unknown_word(word))
        if not words:
            raise UsageError("--retry lists nothing. Name what to ask again:  --retry failed")
        return cls(frozenset(words))

    def lists(self, word: str | None) -> bool:
        """Whether a word is listed; `all` lists every one."""
        return word in self.words or "all" in self.words

    def match(self, recorded: Recorded, digest: str | None, *, unknown: bool) -> bool:
        """Whether a recorded job is to be asked again."""
        return (
            self.lists(recorded.status)
            or self.lists(recorded.error_kind)
            or self.lists(recorded.finish_reason)
            or (unknown and self.lists("unknown"))
            or (recorded.retryable and self.lists(RETRYABLE))
            or (self.lists("changed") and not recorded.asks(digest))
        )


def decide(
    recorded: Recorded | None, digest: str | None, *, unknown: bool, kinds: RetryKinds | None
) -> Decision:
    """Decide about one job.

    `digest` is what would be asked now; `unknown` says that a killed run had sent the job and
    left no record of it. Without `--retry` a failed or interrupted record of another question is
    simply asked again: nothing that was paid for is replaced. With it exactly what it lists is
    asked again, and the rest is kept whatever its question.
    """
    if recorded is None:
        return _unrecorded(unknown=unknown, kinds=kinds)
    succeeded = recorded.status == "succeeded"
    if kinds is not None:
        again = kinds.match(recorded, digest, unknown=unknown)
    elif succeeded:
        # Also where its asking again was cut off by a kill: an answer is never replaced unasked.
        return Decision.DONE if recorded.asks(digest) else Decision.CHANGED
    else:
        again = (
            unknown
            or recorded.status == "interrupted"
            or recorded.retryable
            or not recorded.asks(digest)
        )
    if again:
        return Decision.AGAIN
    return Decision.DONE if succeeded else Decision.KEPT


def _unrecorded(*, unknown: bool, kinds: RetryKinds | None) -> Decision:
    if not unknown:
        return Decision.NEW
    return Decision.AGAIN if kinds is None or kinds.lists("unknown") else Decision.LEFT


def _unknown_word(word: str) -> str:
    near = get_close_matches(word, sorted(WORDS), n=1)
    if near:
        return f'--retry does not know "{word}". Did you mean "{near[0]}"?'
    return (
        f'--retry does not know "{word}". It takes a status (succeeded, interrupted,\n'
        "failed), an error kind (timeout, invalid_request, ...), a finish reason\n"
        "(length, ...), changed, unknown or all."
    )
