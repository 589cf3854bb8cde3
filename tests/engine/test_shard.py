"""Promises of the shard: bounded parallelism, every job one end, retries, halts, windows."""

from dataclasses import replace

import pytest

from runner.engine.outcome import Recording
from runner.engine.retry import RetryPolicy
from runner.errors import LineProblem, ProviderError
from runner.events import (
    AttemptStarted,
    JobFinished,
    JobLeft,
    JobQueued,
    ProviderHalted,
    RetryScheduled,
)
from runner.models import Completion, ErrorKind, Job, Usage
from runner.settings import Deadlines
from tests.engine.fakes import Bench, FakeProvider, job, whole

pytestmark = pytest.mark.anyio


def jobs(count: int) -> list[Job | LineProblem]:
    """So many jobs with the prompts p0, p1, ..."""
    return [job(f"p{number}", number + 1) for number in range(count)]


def failing(kind: ErrorKind, times: int, **details: object) -> FakeProvider:
    """A provider whose first answers to every prompt are failures."""

    def answer(prompt: str, number: int) -> Completion | ProviderError:
        if number <= times:
            return ProviderError(kind, "no", retryable=True, **details)  # type: ignore[arg-type] # a test's shorthand
        return whole(f"answer to {prompt}")

    return FakeProvider(answer)


async def test_every_job_is_answered_within_the_bound() -> None:
    """All jobs get a record, and never more than the concurrency are in flight."""
    bench = Bench(FakeProvider(lambda prompt, number: 0.002), concurrency=3)
    results = await bench.run(jobs(50))
    assert sorted(results) == sorted(f"p{n}" for n in range(50))
    assert {result.status for result in results.values()} == {"succeeded"}
    assert bench.provider.peak == 3
    assert len(bench.of(JobFinished)) == 50


async def test_a_record_tells_what_was_asked_and_answered() -> None:
    """A succeeded record holds the job, the answer, its tokens and its one attempt."""
    bench = Bench(FakeProvider(lambda prompt, number: whole("yes")))
    result = (await bench.run([job("p", 7)]))["p"]
    assert (result.line, result.digest, result.provider, result.model) == (
        7,
        "digest of p",
        "fake",
        "m",
    )
    assert (result.text, result.finish_reason, result.response_model) == ("yes", "stop", "fake-1")
    assert result.usage == Usage(input_tokens=3, output_tokens=2, total_tokens=5)
    assert [attempt.outcome for attempt in result.attempts] == ["ok"]
    assert result.attempts[0].run == "run-1"
    assert bytes(result.metadata or b"") == b'{"row":1}'
    assert bench.journal.log == ["sent p"]


async def test_transient_failures_are_asked_again_and_noted() -> None:
    """Two failures and an answer are three attempts in one succeeded record."""
    bench = Bench(failing("provider", 2))
    result = (await bench.run([job("p")]))["p"]
    assert result.status == "succeeded"
    assert [attempt.outcome for attempt in result.attempts] == ["provider", "provider", "ok"]
    assert [event.number for event in bench.events if isinstance(event, AttemptStarted)] == [
        1,
        2,
        3,
    ]


async def test_attempts_are_bounded() -> None:
    """A job that always fails is recorded as failed after the attempts allowed."""
    bench = Bench(failing("timeout", 99), policy=RetryPolicy(max_attempts=3, base_s=0.0))
    result = (await bench.run([job("p")]))["p"]
    assert (result.status, result.error and result.error.kind) == ("failed", "timeout")
    assert result.error is not None
    assert result.error.retryable
    assert len(result.attempts) == 3


async def test_refusals_for_rate_are_not_attempts() -> None:
    """A job refused oftener than the attempts allowed is answered all the same."""
    bench = Bench(
        failing("rate_limit", 9, retry_after_s=0.0), policy=RetryPolicy(max_attempts=2, base_s=0.0)
    )
    result = (await bench.run([job("p")]))["p"]
    assert result.status == "succeeded"
    assert [attempt.outcome for attempt in result.attempts] == ["rate_limit"] * 9 + ["ok"]
    assert result.attempts[0].retry_after_s == 0.0


async def test_waiting_jobs_stay_within_bounds() -> None:
    """When every job waits for its next attempt, at most twice the concurrency are in memory."""
    provider = failing("provider", 1)
    bench = Bench(provider, concurrency=2, policy=RetryPolicy(base_s=0.05))
    open_jobs: set[str] = set()
    most = 0

    def watch(event: object) -> None:
        nonlocal most
        if isinstance(event, JobQueued):
            open_jobs.add(event.job.id)
            most = max(most, len(open_jobs))
        elif isinstance(event, JobFinished):
            open_jobs.discard(event.result.id)

    bench.on_event = watch
    results = await bench.run(jobs(30))
    assert len(results) == 30
    assert 2 < most <= 4


async def test_a_refused_account_halts_its_provider_only() -> None:
    """After a bad key nothing new goes there, its jobs have no record, other providers finish."""
    refusal = ProviderError("auth", "bad key", retryable=False, fatal=True, http_status=401)
    bench = Bench(FakeProvider(lambda prompt, number: refusal), concurrency=1)
    bench.others["good"] = FakeProvider(lambda prompt, number: whole("fine"), name="good")
    work: list[Job | LineProblem] = [
        job("a"),
        job("b", provider="good"),
        job("c"),
        job("d", provider="good"),
    ]
    results = await bench.run(work)
    assert sorted(results) == ["b", "d"]
    assert sum(bench.provider.asked.values()) == 1
    assert [event.provider for event in bench.events if isinstance(event, ProviderHalted)] == [
        "fake"
    ]
    assert [event.job.id for event in bench.events if isinstance(event, JobLeft)] == ["a", "c"]
    assert "withdrawn a" in bench.journal.log


async def test_no_admission_for_fifteen_minutes_halts() -> None:
    """A provider that refuses everything for rate for 15 minutes counts as refusing the account."""
    bench = Bench(failing("rate_limit", 10**6, retry_after_s=0.0), concurrency=1)

    def tick(event: object) -> None:
        if isinstance(event, RetryScheduled):
            bench.clock.seconds += 100

    bench.on_event = tick
    assert await bench.run([job("p")]) == {}
    halted = [event for event in bench.events if isinstance(event, ProviderHalted)]
    assert "15 minutes" in halted[0].error.message


async def test_an_admission_resets_the_fifteen_minutes() -> None:
    """A provider that lets a request through now and then is never halted for refusing."""

    def answer(prompt: str, number: int) -> Completion | ProviderError:
        if number % 5:
            return ProviderError("rate_limit", "slow", retryable=True, retry_after_s=0.0)
        return whole("ok")

    bench = Bench(FakeProvider(answer), concurrency=1)

    def tick(event: object) -> None:
        if isinstance(event, RetryScheduled):
            bench.clock.seconds += 60

    bench.on_event = tick
    assert len(await bench.run(jobs(5))) == 5


async def test_a_bad_line_is_a_failed_record() -> None:
    """A line that is not a job is recorded as failed and the rest goes on."""
    bench = Bench(FakeProvider(lambda prompt, number: whole("ok")))
    problem = LineProblem(where="jobs.jsonl:1", line=1, message="not JSON", id="abc")
    results = await bench.run([problem, job("p", 2)])
    bad = results["abc"]
    assert (bad.status, bad.line, bad.digest) == ("failed", 1, None)
    assert bad.error is not None
    assert (bad.error.kind, bad.error.message) == ("invalid_job", "jobs.jsonl:1: not JSON")
    assert results["p"].status == "succeeded"


async def test_the_attempts_deadline_is_an_interruption() -> None:
    """An attempt without an answer in time is interrupted by the deadline, worth a retry."""
    bench = Bench(
        FakeProvider(lambda prompt, number: 60.0),
        deadlines=Deadlines(attempt_s=0.01),
        policy=RetryPolicy(max_attempts=2, base_s=0.0),
    )
    result = (await bench.run([job("p")]))["p"]
    assert result.status == "interrupted"
    assert result.interruption is not None
    assert result.interruption.reason == "deadline"
    assert result.error is not None
    assert (result.error.kind, result.error.retryable) == ("timeout", True)
    assert len(result.attempts) == 2


async def test_the_jobs_deadline_covers_all_attempts() -> None:
    """When a job's own time is over it is not asked again, whatever attempts are left."""

    def answer(prompt: str, number: int) -> ProviderError:
        bench.clock.seconds += 20
        return ProviderError("provider", "no", retryable=True)

    bench = Bench(FakeProvider(answer), deadlines=Deadlines(job_s=50.0))
    bench.policy = RetryPolicy(max_attempts=10_000, base_s=0.0)
    result = (await bench.run([job("p")]))["p"]
    assert result.status == "failed"
    assert len(result.attempts) == 3
    assert "--job-timeout" in (result.error.message if result.error else "")


async def test_a_long_answer_is_streamed_and_assembled() -> None:
    """An answer too long for a plain call is streamed without telling any watcher."""
    provider = FakeProvider(lambda prompt, number: whole("long"), long=True)
    bench = Bench(provider)
    result = (await bench.run([job("p")]))["p"]
    assert (result.text, result.streamed) == ("long", True)
    assert result.time_to_first_token_s == 0.0


async def test_an_odd_failure_fails_one_job_only() -> None:
    """A bug met by one answer is an internal error of that job; the run goes on."""

    def answer(prompt: str, number: int) -> Completion:
        if prompt == "p1":
            raise KeyError("sk-secret")
        return whole("ok")

    results = await Bench(FakeProvider(answer)).run(jobs(3))
    error = results["p1"].error
    assert error is not None
    assert error.kind == "internal"
    assert "sk-secret" not in error.message
    assert results["p2"].status == "succeeded"


async def test_shown_text_is_not_asked_for_again() -> None:
    """A job whose text was shown is not retried by itself; its partial text is kept."""

    def answer(prompt: str, number: int) -> ProviderError:
        return ProviderError(
            "connection",
            "reset",
            retryable=True,
            interruption="connection",
            completion=Completion(text="so "),
        )

    bench = Bench(FakeProvider(answer), stream=True, may_retry=lambda job: False)
    result = (await bench.run([job("p")]))["p"]
    assert (result.status, result.text, len(result.attempts)) == ("interrupted", "so ", 1)
    assert result.error is not None
    assert result.error.kind == "connection"


async def test_the_feeder_stays_near_the_front() -> None:
    """With a window of four, no job starts while the front is four or more jobs behind."""
    provider = FakeProvider(lambda prompt, number: 0.05 if prompt == "p0" else whole("ok"))
    bench = Bench(provider, concurrency=8, ahead=4)
    started_before_front: list[str] = []
    ended: list[str] = []

    def watch(event: object) -> None:
        if isinstance(event, AttemptStarted) and "p0" not in ended:
            started_before_front.append(event.job.id)
        elif isinstance(event, JobFinished):
            ended.append(event.result.id)

    bench.on_event = watch
    assert len(await bench.run(jobs(20))) == 20
    assert started_before_front == ["p0", "p1", "p2", "p3"]


async def test_records_can_leave_out_and_add_bodies() -> None:
    """The raw body can be left out and the request that was sent added."""
    bench = Bench(FakeProvider(lambda prompt, number: whole("ok")))
    bench.recording = replace(Recording(run_id="r"), response=False, request=True)
    result = (await bench.run([job("p")]))["p"]
    assert not result.response
    assert b'"content":"p"' in bytes(result.request or b"")


async def test_a_wide_shard_opens_in_steps() -> None:
    """The concurrency asked for is not used at once, but soon, and never passed."""
    bench = Bench(FakeProvider(lambda prompt, number: 0.05), concurrency=150, buffer=900)
    assert len(await bench.run(jobs(800))) == 800
    assert bench.provider.peak == 150
    started = [event.job.id for event in bench.events if isinstance(event, AttemptStarted)]
    ended = [event.result.id for event in bench.events if isinstance(event, JobFinished)]
    first = bench.events.index(next(e for e in bench.events if isinstance(e, JobFinished)))
    assert sum(isinstance(event, AttemptStarted) for event in bench.events[:first]) <= 50
    assert sorted(started) == sorted(ended)
