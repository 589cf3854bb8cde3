"""What attempts cost that brought no answer."""

from typing import Any

import msgspec
import pytest

from runner.errors import ProviderError
from runner.models import AttemptRecord, Completion, ErrorKind, Usage
from runner.pricing.attempts import Spent, cost_of_attempts, cost_of_failure, spent_on

USAGE = Usage(input_tokens=3, output_tokens=2)
PART = Usage(input_tokens=3, complete=False)


def price(usage: Usage) -> float | None:
    """Half a dollar for a final count."""
    return 0.5 if usage.complete else None


def failure(kind: ErrorKind, **facts: Any) -> ProviderError:
    """A failed attempt."""
    return ProviderError(kind, "it failed", retryable=True, **facts)


@pytest.mark.parametrize(
    "error",
    [
        failure("invalid_request", http_status=400),
        failure("auth", http_status=401, fatal=True),
        failure("quota", http_status=402, fatal=True),
        failure("not_found", http_status=404),
        failure("rate_limit", http_status=429),
        failure("rate_limit", http_status=200),  # the first event of a stream
        failure("overloaded", http_status=529),
        failure("overloaded", http_status=498),
        failure("overloaded", http_status=503, code="server_is_overloaded"),
        failure("connection", unsent=True),
        failure("timeout", unsent=True),
    ],
)
def test_what_was_refused_or_never_sent_costs_nothing(error: ProviderError) -> None:
    """Nothing was generated, so 0 is known."""
    assert cost_of_failure(error, price) == 0.0


@pytest.mark.parametrize(
    "error",
    [
        failure("timeout"),
        failure("connection"),
        failure("provider", http_status=500),
        failure("provider", http_status=502),
        failure("overloaded", http_status=503),  # a proxy may have lost an answer
        failure("bad_response", http_status=200),
        failure("internal"),
        failure("rate_limit", http_status=200, interruption="provider_error"),
        failure("overloaded", http_status=200, code="x", interruption="provider_error"),
        failure("invalid_request", http_status=200, completion=Completion(text="so far")),
        failure("connection", completion=Completion(usage=PART), interruption="connection"),
    ],
)
def test_what_may_have_been_generated_is_unknown(error: ProviderError) -> None:
    """Nobody told a count, and the provider may charge for one: never 0."""
    assert cost_of_failure(error, price) is None


def test_a_failure_with_a_final_count_is_charged() -> None:
    """An answer that cannot be used was generated all the same."""
    error = failure("bad_response", http_status=200, completion=Completion(usage=USAGE))
    assert cost_of_failure(error, price) == 0.5


def attempt(cost: float | None, usage: Usage | None = None) -> AttemptRecord:
    """One attempt as it stands in a record."""
    return AttemptRecord(
        run="r",
        started_at="2026-11-23T00:00:00Z",
        duration_s=1.0,
        outcome="ok",
        usage=usage,
        cost_usd=cost,
    )


@pytest.mark.parametrize(
    ("attempts", "cost"),
    [
        ([], 0.0),
        ([attempt(0.1), attempt(0.2)], 0.3),
        ([attempt(0.0), attempt(0.25, USAGE)], 0.25),
        ([attempt(None), attempt(0.2)], None),
        ([attempt(None, PART), attempt(0.2)], None),
        # Its price was not known when it was made.
        ([attempt(None, USAGE), attempt(0.25)], 0.75),
    ],
)
def test_a_job_costs_what_all_its_attempts_cost(
    attempts: list[AttemptRecord], cost: float | None
) -> None:
    """One unknown attempt makes the sum unknown; sums do not drift."""
    assert cost_of_attempts(attempts, price) == cost


def test_many_small_amounts_add_up() -> None:
    """A million attempts at a tenth of a cent are a thousand dollars, to the last digit."""
    assert cost_of_attempts([attempt(0.001)] * 1_000_000, price) == 1000.0


def test_a_budget_counts_unknown_attempts_at_their_most() -> None:
    """Known and unknown are told apart; what has no bound is counted and not guessed."""
    unknown = msgspec.structs.replace(attempt(None), at_most_usd=0.25)
    spent = spent_on([attempt(0.5), attempt(0.0), unknown, attempt(None), unknown])
    assert spent == Spent(known=5 * 10**11, unknown=5 * 10**11, unbounded=1)
    assert spent.counted == 10**12
    assert spent_on([]) == Spent()


def test_spending_adds_up_over_records() -> None:
    """Part by part, and with nothing else."""
    assert Spent(1, 2, 3) + Spent(10, 20, 30) == Spent(11, 22, 33)
    with pytest.raises(TypeError):
        Spent() + 1
