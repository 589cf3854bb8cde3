"""What a record says of its cost: every attempt at what it cost when it was made."""

from typing import Any

import pytest
from msgspec import UNSET

from runner.engine.outcome import Recording
from runner.errors import LineProblem, ProviderError
from runner.models import AttemptRecord, Completion, ErrorKind, Job, Usage
from runner.settings import Deadlines
from tests.engine.fakes import Answer, Bench, FakeProvider, job, whole

pytestmark = pytest.mark.anyio


def price(_: Job, usage: Usage, _lane: str, _told: str | None) -> float | None:
    """A hundredth of a dollar a token, where the count is final."""
    asked, answered = usage.input_tokens, usage.output_tokens
    if asked is None or answered is None or not usage.complete:
        return None
    return (asked + answered) / 100


def bench(answer: Answer, **settings: Any) -> Bench:
    """A shard that knows prices."""
    recording = Recording(run_id="run", price=price, worst_case=lambda _: 0.9)
    return Bench(FakeProvider(answer), recording=recording, **settings)


def failing(kind: ErrorKind, **facts: Any) -> Answer:
    """Fail once, then answer."""

    def answer(_: str, number: int) -> Completion | ProviderError:
        return whole("yes") if number > 1 else ProviderError(kind, "no", retryable=True, **facts)

    return answer


def test_prices_are_unknown_unless_somebody_knows_them() -> None:
    """A recording without prices says null, not 0."""
    recording = Recording(run_id="run")
    assert recording.price(job("p"), Usage(input_tokens=1, output_tokens=1), "live", None) is None
    assert recording.worst_case(job("p")) is None


async def test_an_answer_is_priced() -> None:
    """Attempt and record say what the answer cost."""
    found = (await bench(lambda _prompt, _number: whole("yes")).run([job("p")]))["p"]
    assert found.cost_usd == 0.05
    assert [attempt.cost_usd for attempt in found.attempts] == [0.05]
    assert found.attempts[0].at_most_usd is UNSET


@pytest.mark.parametrize(
    ("answer", "costs", "total"),
    [
        (failing("rate_limit", http_status=429, retry_after_s=0.0), [0.0, 0.05], 0.05),
        (failing("connection", unsent=True), [0.0, 0.05], 0.05),
        (failing("provider", http_status=500), [None, 0.05], None),
        (
            failing("bad_response", completion=whole("unusable")),
            [0.05, 0.05],
            0.1,
        ),
    ],
)
async def test_failed_attempts_are_part_of_the_cost(
    answer: Answer, costs: list[float | None], total: float | None
) -> None:
    """Refused ones cost nothing, counted ones what they cost; one unknown makes the sum unknown."""
    found = (await bench(answer).run([job("p")]))["p"]
    assert [attempt.cost_usd for attempt in found.attempts] == costs
    assert found.cost_usd == total


async def test_what_a_deadline_cut_off_is_unknown() -> None:
    """Nobody told its final count."""
    cut = bench(lambda _prompt, _number: 60.0, deadlines=Deadlines(attempt_s=0.01), stream=True)
    found = (await cut.run([job("p")]))["p"]
    assert found.cost_usd is None
    assert (found.attempts[-1].cost_usd, found.attempts[-1].at_most_usd) == (None, 0.9)


async def test_a_line_that_is_no_job_costs_nothing() -> None:
    """Nothing was sent for it."""
    problem = LineProblem("jobs.jsonl:3", 3, "not JSON")
    found = await bench(lambda _prompt, _number: whole("yes")).run([problem])
    assert [result.cost_usd for result in found.values()] == [0.0]


async def test_attempts_of_earlier_runs_are_part_of_the_cost() -> None:
    """A record that carries earlier attempts carries what they cost."""
    before = AttemptRecord(
        run="before", started_at="t", duration_s=1.0, outcome="provider", cost_usd=0.2
    )
    carrying = bench(lambda _prompt, _number: whole("yes"), earlier=lambda _: [before])
    found = (await carrying.run([job("p")]))["p"]
    assert [attempt.cost_usd for attempt in found.attempts] == [0.2, 0.05]
    assert found.cost_usd == 0.25
