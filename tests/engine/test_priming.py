"""Promises about who goes first where prompts begin alike, who waits, and for how long at most."""

import math

import pytest
from anyio import current_time

from runner.engine import priming as rule
from runner.engine.priming import FAILURES, LEAST_JOBS, LIVES_S, MISSES, PATIENCE_S, Priming, Shared
from runner.engine.retry import RetryPolicy
from runner.errors import LineProblem, ProviderError
from runner.events import AttemptStarted, JobFinished, JobLeft, JobQueued
from runner.models import Completion, Job
from tests.engine.fakes import Bench, FakeProvider, job, whole

HERE = ("p", "m")
RULES = "Answer as the rules of the house say. " * 140


def priming(total: int | None = None) -> Priming:
    """Nothing seen yet."""
    return Priming({"fake": "openai"}, total=total)


def first(one: Priming, *keys: int, now: float = 0.0, sequence: int = 0) -> Shared:
    """Send a request that begins so."""
    shared = Shared(keys)
    assert one.waits_for(shared) is None
    one.started(shared, HERE, sequence, now)
    return shared


def test_one_goes_and_the_others_wait_for_its_answer() -> None:
    """Nobody else goes until it is answered; afterwards everybody does, with nobody waited for."""
    one = priming()
    sent = first(one, 1)
    assert one.waits_for(Shared((1,))) == 1
    assert list(one.readable(sent)) == [1]
    assert first(one, 1).primes == ()
    assert one.next_at == math.inf


def test_other_beginnings_wait_for_nothing() -> None:
    """A job waits for what it shares, shortest first, and never for what it does not."""
    one = priming()
    both = first(one, 1, 2)
    assert one.waits_for(Shared((3,))) is None
    assert one.waits_for(Shared((1, 4))) == 1
    assert list(one.readable(both)) == [1, 2]
    assert first(one, 1, 4).primes == (4,)


def test_waiting_has_a_bound() -> None:
    """An answer that does not come holds nobody for longer than PATIENCE_S."""
    one = priming()
    sent = first(one, 1, now=5.0)
    assert one.next_at == 5.0 + PATIENCE_S
    assert list(one.overdue(4.9 + PATIENCE_S)) == []
    assert list(one.overdue(5.0 + PATIENCE_S)) == [1]
    assert first(one, 1, now=20.0).primes == ()
    assert list(one.readable(sent)) == []


def test_another_tries_in_the_place_of_one_that_failed() -> None:
    """Then the next goes alone; after FAILURES of them nobody waits any more."""
    one = priming()
    for _ in range(FAILURES):
        sent = first(one, 1)
        assert sent.primes == (1,)
        assert list(one.failed(sent, refused=False)) == [1]
    assert first(one, 1).primes == ()


def test_refusals_are_no_failures() -> None:
    """Refused for rate, the next goes alone all the same, however often that happens."""
    one = priming()
    for _ in range(5 * FAILURES):
        assert list(one.failed(first(one, 1), refused=True)) == [1]
    assert first(one, 1).primes == (1,)


@pytest.mark.parametrize(("left", "primes"), [(LEAST_JOBS, (1,)), (LEAST_JOBS - 1, ())])
def test_few_jobs_do_not_wait(left: int, primes: tuple[int, ...]) -> None:
    """With fewer than LEAST_JOBS left waiting would only make the run take longer."""
    one = priming(total=100)
    assert first(one, 1, sequence=100 - left).primes == primes


def test_the_last_ones_wait_for_one_that_is_out() -> None:
    """Who waits is not asked how many are left."""
    one = priming(total=LEAST_JOBS)
    first(one, 1)
    assert one.waits_for(Shared((1,))) == 1


def test_a_server_without_a_cache_is_not_waited_for() -> None:
    """Once MISSES waited and read nothing nobody waits there; a single read settles it for good."""
    one, other = priming(), priming()
    for server, cached in ((one, None), (other, 1024)):
        for count in range(2 * MISSES):
            waited = Shared((1,), waited=True)
            server.answered(waited, HERE, cached if count == 0 else 0)
    assert first(one, 1).primes == ()
    assert first(other, 1).primes == (1,)


def test_a_long_pause_begins_anew() -> None:
    """What was not used for LIVES_S is sent alone again; every use puts that off."""
    one = priming()
    list(one.readable(first(one, 1)))
    assert first(one, 1, now=LIVES_S - 1).primes == ()
    assert first(one, 1, now=2 * LIVES_S - 2).primes == ()
    assert first(one, 1, now=3 * LIVES_S).primes == (1,)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of prompts that nobody shares only the latest are remembered."""
    monkeypatch.setattr(rule, "_MOST_KNOWN", 3)
    one = priming()
    for key in range(6):
        list(one.readable(first(one, key)))
    assert first(one, 5).primes == first(one, 4).primes == ()
    assert first(one, 0).primes == (0,)


def alike(count: int, rules: str = RULES, name: str = "") -> list[Job | LineProblem]:
    """So many jobs whose prompts begin alike."""
    return [job(f"{rules}{name}{number}", number + 1) for number in range(count)]


def bench(provider: FakeProvider, **more: object) -> Bench:
    """A shard that lets jobs wait."""
    given = {"concurrency": 8, "priming": priming(), **more}
    return Bench(provider, **given)  # type: ignore[arg-type] # a test's shorthand


def before_the_first_end(made: Bench, kind: type[JobQueued] | type[AttemptStarted]) -> list[str]:
    """The prompts' last signs of the events of a kind that came before any job had ended."""
    first_end = next(n for n, event in enumerate(made.events) if isinstance(event, JobFinished))
    return [event.job.id[-1] for event in made.events[:first_end] if isinstance(event, kind)]


@pytest.mark.anyio
async def test_only_one_is_out_until_the_first_answer() -> None:
    """Of each beginning one request goes, those of others go beside it, and then all in order."""
    provider = FakeProvider(lambda prompt, _: 0.05 if prompt.endswith("0") else whole("ok"))
    made = bench(provider)
    cats, dogs = (RULES.replace("rules", name) for name in ("cats", "dogs"))
    assert len(await made.run([*alike(5, cats), *alike(5, dogs)])) == 10
    assert before_the_first_end(made, AttemptStarted) == ["0", "0"]
    started = [event.job.id for event in made.events if isinstance(event, AttemptStarted)]
    assert [prompt[-1] for prompt in started if "cats" in prompt] == list("01234")


@pytest.mark.anyio
async def test_the_first_words_are_enough() -> None:
    """Where answers are shown the others go on when the first one's words begin to come."""
    provider = FakeProvider(lambda prompt, _: 0.3 if prompt.endswith("0") else whole("ok"))
    made = bench(provider, stream=True)
    await made.run(alike(6))
    assert [result.id[-1] for result in made.results][-1] == "0"


@pytest.mark.anyio
async def test_a_first_one_that_hangs_holds_nobody_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The others go when their patience is over, while it is still out."""
    monkeypatch.setattr(rule, "PATIENCE_S", 0.05)
    provider = FakeProvider(lambda prompt, _: 0.5 if prompt.endswith("0") else whole("ok"))
    made = bench(provider)
    await made.run(alike(9))
    assert [result.id[-1] for result in made.results][-1] == "0"
    assert len(made.results) == 9


@pytest.mark.anyio
async def test_a_first_one_that_fails_stops_nobody() -> None:
    """While it waits for its next attempt another goes first, and then all."""

    def answer(prompt: str, number: int) -> Completion | ProviderError:
        if prompt.endswith("0") and number == 1:
            return ProviderError("provider", "no", retryable=True)
        return whole("ok")

    made = bench(FakeProvider(answer), policy=RetryPolicy(base_s=0.2, cap_s=0.2))
    results = await made.run(alike(9))
    assert {result.status for result in results.values()} == {"succeeded"}
    assert before_the_first_end(made, AttemptStarted) == ["0", "1"]


@pytest.mark.anyio
async def test_jobs_in_memory_stay_bounded() -> None:
    """While all wait for one no more is read than twice what may be in flight."""
    made = bench(FakeProvider(lambda prompt, _: 0.02), concurrency=4)
    assert len(await made.run(alike(50))) == 50
    assert len(before_the_first_end(made, JobQueued)) == 2 * 4


@pytest.mark.anyio
async def test_a_stop_leaves_those_who_wait_at_once() -> None:
    """After a drain only the first one is finished, and the others are left for the next run."""
    made = bench(FakeProvider(lambda prompt, _: 0.1))
    made.on_event = lambda event: (
        made.stop.drain("sigint") if isinstance(event, AttemptStarted) else None
    )
    began = current_time()
    results = await made.run(alike(20))
    assert [result.id[-1] for result in results.values()] == ["0"]
    assert current_time() - began < 2
    assert len(made.of(JobLeft)) == len(made.of(JobQueued)) - 1


@pytest.mark.anyio
async def test_a_halted_provider_leaves_those_who_wait() -> None:
    """When the first one shows that the account is refused nobody else is asked."""
    refusal = ProviderError("auth", "bad key", retryable=False, fatal=True, http_status=401)
    made = bench(FakeProvider(lambda prompt, _: refusal))
    assert await made.run(alike(20)) == {}
    assert len(made.provider.asked) == 1
    assert len(made.of(JobLeft)) >= 15
