"""Whether a failed attempt is followed by another, and when. Pure: time and chance come in."""

from dataclasses import dataclass

from runner.errors import ProviderError


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """How often and how patiently a job is asked again. Times are in seconds."""

    max_attempts: int = 5
    """Tries per job in one run; refusals for rate are not counted."""
    base_s: float = 1.0
    """The first back-off is drawn from 0 to this; every further one from twice the range."""
    cap_s: float = 60.0
    """No back-off of ours is longer."""
    longest_retry_after_s: float = 300.0
    """A server that asks for more than this fails the job (it stays worth a retry next time)."""


@dataclass(frozen=True, slots=True)
class Again:
    """Ask again in `delay_s` seconds."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The failure stands. `note` says why, where the failure itself does not."""

    note: str | None = None


UNUSABLE_ANSWER_TRIES = 2
"""An answer that cannot be used was paid for, so it is asked for once more and not oftener."""


def decide(
    error: ProviderError, *, tries: int, refusals: int, policy: RetryPolicy, draw: float
) -> Again | GiveUp:
    """Decide what follows a failure.

    `tries` counts the attempts so far without refusals for rate, `refusals` those; `draw` is a
    random number from 0 (included) to 1. Full jitter: the delay is drawn from the whole range, so
    that jobs which failed together do not come back together.
    """
    if not error.retryable:
        return GiveUp()
    asked = error.retry_after_s
    if asked is not None and asked > policy.longest_retry_after_s:
        return GiveUp(
            f"the server asks to wait {asked:,.0f} s, longer than runner waits"
            f" ({policy.longest_retry_after_s:,.0f} s)"
        )
    if error.kind == "rate_limit" and error.interruption is None:
        # It waits for its start like all others, at the gate that the refusal has shut.
        return Again(0.0)
    limit = policy.max_attempts
    if error.kind == "bad_response":
        limit = min(limit, UNUSABLE_ANSWER_TRIES)
    # A refusal in the middle of an answer is no refusal: what came of the answer was paid for.
    made = tries + refusals if error.kind == "rate_limit" else tries
    if made >= limit:
        return GiveUp()
    return Again(_delay(asked, made, policy, draw))


def _delay(asked: float | None, failures: int, policy: RetryPolicy, draw: float) -> float:
    if asked is not None:
        # A little more than asked, never less: jobs told the same moment spread over 10 % of it.
        return asked * (1 + draw / 10)
    # The exponent is bounded because 2.0**1024 overflows after a night of refusals.
    widest = policy.base_s * 2.0 ** min(failures - 1, 32)
    return min(widest, policy.cap_s) * draw
