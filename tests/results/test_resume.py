"""Which jobs are asked again."""

from typing import get_args

import pytest

from runner.errors import UsageError
from runner.models import ErrorKind, ErrorRecord, FinishReason, Result, Status
from runner.results.resume import Decision, RetryKinds, decide
from tests.results.build import digest, record, recorded

SUCCEEDED = record("j")
CUT_OFF = record("j", finish_reason="length")
INTERRUPTED = record("j", status="interrupted")
TIMEOUT = record("j", status="failed")
TIMED_OUT = record(
    "j", status="interrupted", error=ErrorRecord(kind="timeout", message="no", retryable=True)
)
REFUSED = record("j", status="failed", error=ErrorRecord(kind="invalid_request", message="no"))
INVALID = Result(
    id="j",
    digest=None,
    line=1,
    status="failed",
    error=ErrorRecord(kind="invalid_job", message="no"),
)
SAME, OTHER = "a", "b"


@pytest.mark.parametrize(
    ("result", "question", "unknown", "retry", "decision"),
    [
        # Without --retry.
        (None, SAME, False, None, Decision.NEW),
        (None, SAME, True, None, Decision.AGAIN),
        (SUCCEEDED, SAME, False, None, Decision.DONE),
        (CUT_OFF, SAME, False, None, Decision.DONE),
        (SUCCEEDED, SAME, True, None, Decision.DONE),  # an answer is never replaced unasked
        (SUCCEEDED, OTHER, False, None, Decision.CHANGED),
        (INTERRUPTED, SAME, False, None, Decision.AGAIN),
        (INTERRUPTED, OTHER, False, None, Decision.AGAIN),
        (TIMEOUT, SAME, False, None, Decision.AGAIN),
        (REFUSED, SAME, False, None, Decision.KEPT),
        (REFUSED, SAME, True, None, Decision.AGAIN),
        (REFUSED, OTHER, False, None, Decision.AGAIN),  # nothing that was paid for is replaced
        (INVALID, SAME, False, None, Decision.AGAIN),  # the line has been mended
        (INVALID, None, False, None, Decision.KEPT),  # or not
        # With it: exactly what it lists, and jobs with no record.
        (None, SAME, False, "failed", Decision.NEW),
        (None, SAME, True, "failed", Decision.LEFT),
        (None, SAME, True, "unknown", Decision.AGAIN),
        (None, SAME, True, "all", Decision.AGAIN),
        (SUCCEEDED, SAME, False, "failed", Decision.DONE),
        (SUCCEEDED, OTHER, False, "failed", Decision.DONE),
        (SUCCEEDED, OTHER, False, "changed", Decision.AGAIN),
        (SUCCEEDED, SAME, False, "changed", Decision.DONE),
        (SUCCEEDED, SAME, False, "succeeded", Decision.AGAIN),
        (SUCCEEDED, SAME, True, "unknown", Decision.AGAIN),
        (SUCCEEDED, SAME, False, "unknown", Decision.DONE),
        (SUCCEEDED, SAME, False, "all", Decision.AGAIN),
        (CUT_OFF, OTHER, False, "length", Decision.AGAIN),  # with a higher --max-tokens
        (CUT_OFF, SAME, False, "stop,timeout", Decision.DONE),
        (INTERRUPTED, SAME, False, "failed", Decision.KEPT),
        (TIMED_OUT, SAME, False, "timeout", Decision.AGAIN),  # whatever the status
        (INTERRUPTED, OTHER, False, "failed", Decision.KEPT),
        (INTERRUPTED, OTHER, False, "changed", Decision.AGAIN),
        (INTERRUPTED, SAME, False, "failed, interrupted", Decision.AGAIN),
        (TIMEOUT, SAME, False, "timeout", Decision.AGAIN),
        (TIMEOUT, SAME, False, "rate_limit", Decision.KEPT),
        (REFUSED, SAME, False, "failed", Decision.AGAIN),
        (REFUSED, SAME, False, "invalid_request", Decision.AGAIN),
    ],
)
def test_decide(
    result: Result | None,
    question: str | None,
    unknown: bool,
    retry: str | None,
    decision: Decision,
) -> None:
    """Each kind of record is asked again or kept as the contract says."""
    kinds = RetryKinds.parse(retry) if retry else None
    now = digest(question) if question else None
    found = recorded(result) if result else None
    assert decide(found, now, unknown=unknown, kinds=kinds) is decision


@pytest.mark.parametrize(
    "word",
    [*get_args(Status), *get_args(ErrorKind), *get_args(FinishReason), "changed", "unknown", "all"],
)
def test_every_word_is_known(word: str) -> None:
    """Every status, error kind and finish reason can be listed."""
    assert RetryKinds.parse(f" {word},").lists(word)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("timeouts", 'Did you mean "timeout"'),
        ("failed,lenght", 'Did you mean "length"'),
        ("xyzzy", "It takes a status"),
        ("", "lists nothing"),
        (" , ", "lists nothing"),
    ],
)
def test_unknown_words(text: str, says: str) -> None:
    """A word that names nothing is refused with the nearest that does."""
    with pytest.raises(UsageError, match=says):
        RetryKinds.parse(text)
