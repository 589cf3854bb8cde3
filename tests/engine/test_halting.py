"""Promises when one provider is halted or gated while others work: who waits, and where."""

import pytest
from anyio import current_time

from runner.engine.retry import RetryPolicy
from runner.engine.service import is_refusal
from runner.errors import LineProblem, ProviderError
from runner.events import Event, JobFinished, JobLeft, JobQueued, ProviderHalted, RetryScheduled
from runner.models import Completion, Job
from runner.view.tally import Tally
from tests.engine.fakes import Bench, FakeProvider, job, whole

pytestmark = pytest.mark.anyio


def no_credit() -> ProviderError:
    """The account is refused."""
    return ProviderError("quota", "no credit", retryable=False, fatal=True, http_status=429)


async def test_who_waits_for_a_halted_provider_is_left_at_once() -> None:
    """A job in a back-off of an hour does not hold the run when its provider is halted."""

    def answer(prompt: str, number: int) -> ProviderError:
        if prompt == "later":
            return ProviderError("provider", "no", retryable=True, retry_after_s=200.0)
        return no_credit()

    bench = Bench(FakeProvider(answer), concurrency=1)
    began = current_time()
    assert await bench.run([job("later"), job("poor"), job("more"), job("most")]) == {}
    assert current_time() - began < 5
    left = [event.job.id for event in bench.events if isinstance(event, JobLeft)]
    assert sorted(left) == ["later", "more", "most", "poor"]
    assert "withdrawn later" in bench.journal.log


async def test_who_waits_at_the_gate_of_a_halted_provider_is_left_at_once() -> None:
    """A gate that is shut for minutes holds nobody whose provider is halted meanwhile."""

    def answer(prompt: str, number: int) -> ProviderError | float:
        if prompt == "gated":
            return ProviderError("rate_limit", "slow", retryable=True, retry_after_s=200.0)
        return no_credit()

    bench = Bench(FakeProvider(answer), concurrency=2)
    began = current_time()
    assert await bench.run([job("gated"), job("poor"), job("more")]) == {}
    assert current_time() - began < 5
    assert len(bench.of(ProviderHalted)) == 1


async def test_a_gated_provider_lets_the_other_go_on_within_the_bound() -> None:
    """Others are answered until twice the concurrency waits at the gate; then reading pauses."""
    gated = FakeProvider(
        lambda prompt, number: (
            ProviderError("rate_limit", "slow", retryable=True, retry_after_s=1.0)
            if number == 1 and prompt == "a0"
            else whole("ok")
        )
    )
    bench = Bench(gated, concurrency=4)
    bench.others["b"] = FakeProvider(lambda prompt, number: whole("ok"), name="b")
    work: list[Job | LineProblem] = [
        job(f"{name}{n}", provider=name) for n in range(20) for name in ("a", "b")
    ]
    before_gate: list[str] = []
    waiting: set[str] = set()
    most, refused_at = 0, 0.0

    def watch(event: Event) -> None:
        nonlocal most, refused_at
        if isinstance(event, JobQueued):
            waiting.add(event.job.id)
            most = max(most, len(waiting))
        elif isinstance(event, RetryScheduled):
            refused_at = current_time()
        elif isinstance(event, JobFinished):
            waiting.discard(event.result.id)
            if not refused_at or current_time() < refused_at + 0.9:
                before_gate.append(event.result.id)

    bench.on_event = watch
    assert len(await bench.run(work)) == 40
    assert most <= 8
    assert [name for name in before_gate if name[0] == "b"] != []
    assert len([name for name in before_gate if name[0] == "b"]) >= 7


async def test_jobs_in_hand_stay_within_twice_the_ceiling_found() -> None:
    """With no concurrency given the bound is twice what may be in flight at that moment."""
    bench = Bench(FakeProvider(lambda prompt, number: 0.002), concurrency=None)
    open_jobs: set[str] = set()
    over: list[tuple[int, int]] = []

    def watch(event: Event) -> None:
        if isinstance(event, JobQueued):
            open_jobs.add(event.job.id)
            if len(open_jobs) > 2 * bench.pace.ceiling:
                over.append((len(open_jobs), bench.pace.ceiling))
        elif isinstance(event, JobFinished):
            open_jobs.discard(event.result.id)

    bench.on_event = watch
    assert len(await bench.run([job(f"p{n}") for n in range(300)])) == 300
    assert over == []


async def test_a_refusal_in_mid_answer_was_an_admission() -> None:
    """Fifteen minutes without admission do not pass while answers begin."""
    error = ProviderError("rate_limit", "slow", retryable=True, interruption="provider_error")
    assert not is_refusal(error)
    bench = Bench(FakeProvider(lambda prompt, number: error), concurrency=1)
    bench.policy = RetryPolicy(max_attempts=30, base_s=0.0)

    def tick(event: object) -> None:
        if isinstance(event, RetryScheduled):
            bench.clock.seconds += 100

    bench.on_event = tick
    assert len(await bench.run([job("p")])) == 1
    assert bench.of(ProviderHalted) == []


async def test_every_refusal_is_counted_and_the_gates_wait_is_summed() -> None:
    """Refusals that were followed by another start, by a halt and by giving up are all counted."""

    def answer(prompt: str, number: int) -> Completion | ProviderError:
        if prompt == "long":
            return ProviderError("rate_limit", "x", retryable=True, retry_after_s=9000.0)
        if number == 1:
            return ProviderError("rate_limit", "x", retryable=True, retry_after_s=0.2)
        return whole("ok")

    bench, tally = Bench(FakeProvider(answer), concurrency=1), Tally(total=3)
    bench.others["other"] = FakeProvider(answer, name="other")
    bench.on_event = tally.emit
    await bench.run([job("p"), job("long", provider="other")])
    assert (tally.requests, tally.refusals, tally.attempts, tally.retries) == (3, 2, 1, 0)
    assert 0.2 <= tally.waited_s < 1.0
    assert (tally.peak_in_flight, tally.in_flight) == (1, 0)
