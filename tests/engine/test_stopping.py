"""Promises about stopping: drain, cancel, and the hand-over of paid answers."""

from collections.abc import AsyncGenerator

import anyio
import pytest
from anyio import create_memory_object_stream

from runner.engine.retry import RetryPolicy
from runner.errors import LineProblem, ProviderError
from runner.events import AttemptStarted, DeltaReceived, JobLeft, RetryScheduled
from runner.models import Completion, Job, Result
from tests.engine.fakes import Bench, FakeProvider, each, job, whole

pytestmark = pytest.mark.anyio


def jobs(count: int) -> list[Job | LineProblem]:
    """So many jobs."""
    return [job(f"p{number}", number + 1) for number in range(count)]


async def test_drain_finishes_what_is_in_flight() -> None:
    """After a drain the answers on their way are recorded and nothing new is sent."""
    gate = anyio.Event()
    provider = FakeProvider(lambda prompt, number: whole("ok"))
    bench = Bench(provider, concurrency=3)

    def drain(event: object) -> None:
        if isinstance(event, AttemptStarted) and event.job.id == "p2":
            bench.stop.drain("sigint")
            gate.set()

    bench.on_event = drain
    results = await bench.run(jobs(10))
    assert {result.status for result in results.values()} == {"succeeded"}
    assert sorted(results) == ["p0", "p1", "p2"]
    assert gate.is_set()
    assert sum(provider.asked.values()) == 3


async def test_drain_leaves_jobs_that_wait_for_their_next_attempt() -> None:
    """A job between two attempts gets no record when the run stops."""
    failure = ProviderError("provider", "no", retryable=True)
    bench = Bench(
        FakeProvider(lambda prompt, number: failure), policy=RetryPolicy(base_s=10_000.0, cap_s=9e9)
    )

    def drain(event: object) -> None:
        if isinstance(event, RetryScheduled):
            bench.stop.drain("sigterm")

    bench.on_event = drain
    assert await bench.run(jobs(5)) == {}
    assert bench.of(JobLeft)


async def test_cancel_records_what_was_cut_off() -> None:
    """Cancelled, every job with a request out is recorded as interrupted, with its text."""
    provider = FakeProvider(lambda prompt, number: 3600.0)
    bench = Bench(provider, concurrency=4, stream=True)
    seen: list[str] = []

    def cancel(event: object) -> None:
        if isinstance(event, DeltaReceived):
            seen.append(event.text)
            if len(seen) == 4:
                bench.stop.cancel("sigint")

    bench.on_event = cancel
    results = await bench.run(jobs(9))
    assert len(results) == 4
    for result in results.values():
        assert (result.status, result.text) == ("interrupted", "so ")
        assert result.interruption is not None
        assert result.interruption.reason == "sigint"
        assert result.usage is not None
        assert not result.usage.complete
        assert [attempt.outcome for attempt in result.attempts] == ["interrupted"]


async def test_cancel_without_a_stream_keeps_no_text() -> None:
    """A plain call that is cut off is interrupted with no text and unknown usage."""
    provider = FakeProvider(lambda prompt, number: 3600.0)
    bench = Bench(provider, concurrency=1)

    async def cancel() -> None:
        await provider.started.wait()
        bench.stop.cancel("sigterm")

    async with anyio.create_task_group() as group:
        group.start_soon(cancel)
        results = await bench.run(jobs(2))
    assert list(results) == ["p0"]
    assert (results["p0"].text, results["p0"].usage) == (None, None)
    assert provider.open == 0


async def test_cancel_leaves_waiting_jobs_without_a_record() -> None:
    """Cancelled between two attempts, a job gets no record and is no longer in flight."""
    failure = ProviderError("provider", "no", retryable=True)
    bench = Bench(
        FakeProvider(lambda prompt, number: failure),
        concurrency=2,
        policy=RetryPolicy(base_s=10_000.0, cap_s=9e9),
    )

    def cancel(event: object) -> None:
        if isinstance(event, RetryScheduled) and len(bench.of(RetryScheduled)) == 2:
            bench.stop.cancel("sighup")

    bench.on_event = cancel
    assert await bench.run(jobs(2)) == {}
    assert {"withdrawn p0", "withdrawn p1"} <= set(bench.journal.log)


async def test_an_answer_waits_for_a_slow_writer_through_a_cancel() -> None:
    """A paid answer is handed over even if the run is cancelled while the writer is busy."""
    provider = FakeProvider(lambda prompt, number: whole("paid"))
    bench = Bench(provider, concurrency=4)
    send, receive = create_memory_object_stream[Result](0)
    got: list[Result] = []
    async with anyio.create_task_group() as group:
        group.start_soon(bench.shard(send).run, each(jobs(4)))
        await anyio.wait_all_tasks_blocked()
        assert sum(provider.asked.values()) == 4
        bench.stop.cancel("sigint")
        await anyio.wait_all_tasks_blocked()
        with receive:
            got.extend([result async for result in receive])
    assert sorted(result.id for result in got) == ["p0", "p1", "p2", "p3"]
    assert {result.text for result in got} == {"paid"}


async def test_a_dead_writer_stops_the_run() -> None:
    """When nobody takes results any more, the run stops instead of paying on."""
    provider = FakeProvider(lambda prompt, number: whole("ok"))
    bench = Bench(provider, concurrency=1)
    send, receive = create_memory_object_stream[Result](0)
    receive.close()
    await bench.shard(send).run(each(jobs(50)))
    assert sum(provider.asked.values()) == 1


async def test_a_broken_input_is_raised_after_the_answers_are_in() -> None:
    """What the feeder raises comes out after the jobs before it are recorded."""
    bench = Bench(FakeProvider(lambda prompt, number: whole("ok")))
    send, receive = create_memory_object_stream[Result](9)

    async def broken() -> AsyncGenerator[Job | LineProblem, None]:
        yield job("p0")
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await bench.shard(send).run(broken())
    with receive:
        assert [result.id async for result in receive] == ["p0"]


async def test_a_failure_during_drain_leaves_the_job() -> None:
    """A failure worth a retry that arrives while draining leaves the job for the next run."""

    def answer(prompt: str, number: int) -> Completion | ProviderError:
        bench.stop.drain("sigint")
        return ProviderError("provider", "no", retryable=True)

    bench = Bench(FakeProvider(answer), concurrency=1)
    assert await bench.run(jobs(2)) == {}
    assert "p0" in [event.job.id for event in bench.events if isinstance(event, JobLeft)]
