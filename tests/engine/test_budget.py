"""Promises about the money of a run, in memory."""

import pytest
from anyio import current_time

from runner.engine.outcome import Recording
from runner.engine.retry import RetryPolicy
from runner.errors import ProviderError
from runner.events import BudgetSpent
from runner.models import Completion, ErrorKind
from runner.pace.budget import Budget
from tests.engine.fakes import Bench, FakeProvider, job, whole
from tests.engine.test_costs import price

pytestmark = pytest.mark.anyio

CENT = 10**10


def bench(provider: FakeProvider, cents: int, concurrency: int = 4) -> Bench:
    """A shard that knows prices and has so many cents."""
    recording = Recording(run_id="run", price=price, worst_case=lambda _: 0.1)
    return Bench(
        provider,
        recording=recording,
        concurrency=concurrency,
        budget=Budget(cents * CENT),
        worst_case=lambda _: 10 * CENT,
    )


async def test_requests_in_flight_are_held_at_their_worst() -> None:
    """Fewer and fewer run side by side, down to one; then the run stops and says why."""
    provider = FakeProvider(lambda _prompt, _number: whole("yes"))
    one = bench(provider, 32)
    found = await one.run([job(str(number)) for number in range(9)])
    assert len(found) == 5
    assert provider.peak == 3
    assert one.budget is not None
    assert one.budget.spent == 25 * CENT
    assert one.of(BudgetSpent) == [BudgetSpent(0.1)]
    assert one.stop.reason == "budget"


async def test_a_refusal_costs_nothing_and_a_failure_its_worst() -> None:
    """A refused request gives all back; one that may have been charged keeps its place."""

    def answer(prompt: str, number: int) -> Completion | ProviderError:
        if number > 1:
            return whole("yes")
        kind: ErrorKind = "rate_limit" if prompt == "crowded" else "provider"
        return ProviderError(kind, "no", retryable=True, http_status=500, retry_after_s=0.0)

    one = bench(FakeProvider(answer), 100, concurrency=1)
    await one.run([job("crowded"), job("odd")])
    assert one.budget is not None
    assert (one.budget.spent, one.budget.unknown) == (20 * CENT, 10 * CENT)


async def test_a_job_that_is_not_asked_on_keeps_what_it_owes() -> None:
    """What may have been charged is recorded though the money does not last for another try."""

    def answer(_: str, __: int) -> ProviderError:
        return ProviderError("provider", "no", retryable=True, http_status=500)

    one = bench(FakeProvider(answer), 15, concurrency=1)
    one.policy = RetryPolicy(base_s=0.0)
    found = await one.run([job("a"), job("b")])
    assert [found["a"].status, list(found)] == ["failed", ["a"]]
    assert found["a"].attempts[0].at_most_usd == 0.1
    assert one.journal.log == ["sent a", "withdrawn b"]


async def test_the_budget_is_named_as_what_holds_the_pace() -> None:
    """While the next request waits for money, the pace says so."""
    one = bench(FakeProvider(lambda _prompt, _number: 0.01), 15, concurrency=4)
    told: list[str | None] = []
    one.on_event = lambda _: told.append(one.pace.why(current_time()))
    await one.run([job("a"), job("b")])
    assert "budget" in told
