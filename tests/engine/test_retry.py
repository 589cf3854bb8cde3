"""Promises of the retry decision: a table, no time and no chance of its own."""

import pytest

from runner.engine.retry import Again, GiveUp, RetryPolicy, decide
from runner.errors import ProviderError
from runner.models import ErrorKind

POLICY = RetryPolicy(max_attempts=3, base_s=1.0, cap_s=10.0, longest_retry_after_s=300.0)


def error(kind: ErrorKind, *, retryable: bool = True, after: float | None = None) -> ProviderError:
    """A failure of one kind."""
    return ProviderError(kind, "no", retryable=retryable, retry_after_s=after)


@pytest.mark.parametrize(
    ("failure", "tries", "refusals", "draw", "expected"),
    [
        # permanent kinds are never asked again
        (error("invalid_request", retryable=False), 1, 0, 0.5, None),
        (error("auth", retryable=False), 1, 0, 0.5, None),
        # transient kinds: full jitter over a range that doubles and is capped
        (error("provider"), 1, 0, 0.0, 0.0),
        (error("provider"), 1, 0, 0.5, 0.5),
        (error("timeout"), 2, 0, 0.5, 1.0),
        (error("connection"), 3, 0, 0.5, None),
        # the server's own delay, stretched by at most a tenth
        (error("overloaded", after=7.0), 1, 0, 0.0, 7.0),
        (error("overloaded", after=7.0), 1, 0, 0.5, 7.35),
        # zero is a delay too
        (error("overloaded", after=0.0), 1, 0, 0.5, 0.0),
        # a server that asks for too much fails the job
        (error("overloaded", after=301.0), 1, 0, 0.5, None),
        # refusals for rate are not attempts: no limit applies, and the gate says when
        (error("rate_limit", after=86400.0), 0, 1, 0.5, None),
        (error("rate_limit", after=2.0), 0, 50, 0.0, 0.0),
        (error("rate_limit"), 0, 5000, 0.5, 0.0),
        # an answer that cannot be used is paid for: once more, not oftener
        (error("bad_response"), 1, 0, 0.5, 0.5),
        (error("bad_response"), 2, 0, 0.5, None),
    ],
)
def test_decision(
    failure: ProviderError, tries: int, refusals: int, draw: float, expected: float | None
) -> None:
    """Each kind of failure is followed by the delay, or the end, that the table says."""
    decision = decide(failure, tries=tries, refusals=refusals, policy=POLICY, draw=draw)
    if expected is None:
        assert isinstance(decision, GiveUp)
    else:
        assert isinstance(decision, Again)
        assert decision.delay_s == pytest.approx(expected)


def test_long_wait_is_named() -> None:
    """A delay that is longer than runner waits is shown to the user."""
    decision = decide(
        error("overloaded", after=7200.0), tries=1, refusals=0, policy=POLICY, draw=0.0
    )
    assert isinstance(decision, GiveUp)
    assert "7,200 s" in (decision.note or "")
