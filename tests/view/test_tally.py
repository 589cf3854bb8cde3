"""What a run adds up to."""

import pytest

from runner.errors import ProviderError
from runner.events import (
    AttemptStarted,
    DeltaReceived,
    JobFinished,
    JobLeft,
    ProviderHalted,
    RetryScheduled,
    Stopping,
)
from runner.models import ErrorRecord, Result, Usage
from runner.view.tally import Tally
from tests.view.support import answered, cut, failed, job, refusal


def test_counts_add_up_to_the_jobs_of_the_file() -> None:
    """Succeeded, failed, interrupted and undone jobs are together the selected ones."""
    tally = Tally(total=10)
    tally.add_earlier("succeeded", line=1)
    tally.emit(JobFinished(answered("a")))
    tally.emit(JobFinished(failed("b")))
    tally.emit(JobFinished(cut("c", "sigint")))
    tally.emit(JobLeft(job("d")))
    assert (tally.succeeded, tally.failed, tally.interrupted, tally.undone) == (2, 1, 1, 6)
    assert tally.finished + tally.undone == 10


def test_without_a_total_the_jobs_left_are_those_undone() -> None:
    """Where the input cannot be counted, only jobs that were handed out and left are undone."""
    tally = Tally()
    tally.emit(JobLeft(job("a")))
    assert tally.undone == 1


def test_tokens_are_the_sum_over_the_records_of_this_run() -> None:
    """Every count that a record gives enters its sum."""
    tally = Tally(total=2)
    usage = Usage(input_tokens=100, output_tokens=7, cached_input_tokens=40)
    tally.emit(JobFinished(answered("a", usage=usage)))
    tally.emit(JobFinished(answered("b")))
    tokens = tally.tokens
    assert (tokens.input, tokens.output, tokens.cached, tokens.unknown) == (110, 12, 40, 0)


@pytest.mark.parametrize(
    ("result", "unknown"),
    [
        (answered("a", usage=None), 1),
        (answered("a", usage=Usage(input_tokens=3)), 1),
        (cut("a", "idle", usage=Usage(input_tokens=3, output_tokens=1, complete=False)), 1),
        (failed("a"), 0),  # refused: nothing was answered
        (answered("a"), 0),
    ],
)
def test_answers_that_do_not_fully_say_their_usage_are_unknown(
    result: Result, unknown: int
) -> None:
    """A missing or half count is counted as unknown, never taken for 0."""
    tally = Tally()
    tally.emit(JobFinished(result))
    assert tally.tokens.unknown == unknown


def test_requests_in_flight_and_their_peak() -> None:
    """A request is out from its start until its retry, its result or its leaving."""
    tally = Tally()
    for name in ("a", "b", "c"):
        tally.emit(AttemptStarted(job(name), 1))
    tally.emit(RetryScheduled(job("a"), refusal(), 2.0))
    tally.emit(JobFinished(answered("b")))
    tally.emit(JobLeft(job("c")))
    assert (tally.in_flight, tally.peak_in_flight, tally.requests) == (0, 3, 3)


def test_a_bad_line_with_the_id_of_a_job_in_flight_leaves_that_job_alone() -> None:
    """A refused line is counted as failed and ends nobody else's request."""
    tally = Tally()
    tally.emit(AttemptStarted(job("a"), 1))
    error = ErrorRecord(kind="invalid_job", message='id "a" was used on line 1')
    tally.emit(JobFinished(Result(id="a", digest=None, line=2, status="failed", error=error)))
    assert (tally.in_flight, tally.failed) == (1, 1)


def test_refusals_for_rate_are_no_attempts() -> None:
    """A 429 is counted apart from retries and from attempts; the waits of both add up."""
    tally = Tally()
    for _ in range(3):
        tally.emit(AttemptStarted(job("a"), 1))
    tally.emit(RetryScheduled(job("a"), refusal("rate_limit", 429), 3.0))
    tally.emit(RetryScheduled(job("a"), refusal(), 1.5))
    assert (tally.requests, tally.attempts, tally.retries, tally.refusals) == (3, 2, 1, 1)
    assert tally.waited_s == 4.5


@pytest.mark.parametrize(("caps", "told"), [([100, 100], 100), ([100, 200], None), ([None], None)])
def test_the_cap_is_told_where_it_is_one(caps: list[int | None], told: int | None) -> None:
    """Answers cut at the same token limit name it; different or unknown limits do not."""
    tally = Tally()
    for number, cap in enumerate(caps):
        tally.emit(AttemptStarted(job(str(number), max_tokens=cap), 1))
        tally.emit(JobFinished(answered(str(number), finish_reason="length")))
    assert (tally.cut_off, tally.cap) == (len(caps), told)


def test_failures_keep_the_first_line_and_what_can_be_asked_again() -> None:
    """Per kind: how many, the lowest line, the first message, how many are worth a retry."""
    tally = Tally()
    for line, retryable in ((90, True), (17, False), (None, False)):
        error = ErrorRecord(kind="provider", message=f"at {line}", retryable=retryable)
        tally.emit(JobFinished(failed("x", error, line=line)))
    found = tally.failures["provider"]
    assert (found.count, found.first_line, found.message, found.retryable) == (3, 17, "at 90", 1)


def test_a_failure_without_a_reason_is_still_counted() -> None:
    """A failed record that carries no error enters the counts as internal."""
    tally = Tally()
    tally.add_earlier("failed")
    assert tally.failures["internal"].count == 1


def test_a_halted_provider_keeps_its_first_word() -> None:
    """Only the first refusal of an account is told; text that arrives changes no count."""
    tally = Tally()
    first = ProviderError("auth", "wrong key", retryable=False)
    tally.emit(ProviderHalted("openai", first))
    tally.emit(ProviderHalted("openai", refusal()))
    tally.emit(DeltaReceived(job("a"), "text"))
    stopping = Stopping("sigint", 3, 30.0)
    tally.emit(stopping)
    assert tally.halted == {"openai": first}
    assert tally.stopping == stopping
    assert tally.finished == 0


def test_what_could_not_be_written_is_undone() -> None:
    """A result that never reached the file is no answer; the tokens it took are still counted."""
    tally = Tally(total=5)
    kept, lost = answered("a"), answered("b", finish_reason="length")
    for result in (kept, lost, failed("c"), cut("d", "connection")):
        tally.emit(JobFinished(result))
    tally.written(kept)
    tally.take_back_unwritten()
    assert (tally.succeeded, tally.failed, tally.interrupted, tally.undone) == (1, 0, 0, 4)
    assert (tally.cut_off, tally.failures, +tally.interruptions) == (0, {}, {})
    assert tally.tokens.output == 10
