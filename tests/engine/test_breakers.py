"""Promises of the breaker: what all jobs would be told is told to a few; content never counts."""

import pytest

from runner.engine.breakers import ALIKE, Breakers
from runner.errors import LineProblem, ProviderError
from runner.events import JobFinished, JobLeft, ModelHalted
from runner.models import Completion, ErrorKind, Job
from tests.engine.fakes import Bench, FakeProvider, job, whole

pytestmark = pytest.mark.anyio


def unknown(message: str = "the model does not exist", **details: object) -> ProviderError:
    """A failure as for a wrong model name."""
    facts = {"http_status": 404, "code": "model_not_found", "retryable": False, **details}
    return ProviderError("not_found", message, **facts)  # type: ignore[arg-type] # a test's shorthand


def refused(message: str, code: str | None = None) -> ProviderError:
    """A failure as for a request that cannot be served."""
    return ProviderError("invalid_request", message, retryable=False, http_status=400, code=code)


def rows(breakers: Breakers, errors: list[ProviderError]) -> list[int]:
    """Let jobs of one model fail so, one after the other."""
    return [breakers.failed("p", "m", error) for error in errors]


def test_failures_alike_are_counted() -> None:
    """The same kind, status, code and message make a row, whatever numbers and ids they hold."""
    told = [f"messages.{n}: bad (request req_{n}f2)" for n in range(4)]
    assert rows(Breakers(), [unknown(text) for text in told]) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "other",
    [
        refused("no profile is set"),
        unknown("no such image model"),
        unknown("another reason"),
        unknown(http_status=400),
        unknown(code=None),
        ProviderError("invalid_request", "the model does not exist", retryable=False),
    ],
)
def test_another_failure_begins_another_row(other: ProviderError) -> None:
    """A failure of another kind, status, code or message is the first of its own row."""
    assert rows(Breakers(), [unknown(), unknown(), other, unknown()]) == [1, 2, 1, 1]


@pytest.mark.parametrize(
    "own",
    [
        unknown(retryable=True),
        unknown(interruption="connection"),
        unknown(http_status=413),
        refused("prompt is too long: 209152 tokens > 200000 maximum"),
        refused("blocked by our content policy"),
        refused("no", code="context_length_exceeded"),
        refused("no", code="invalid_image_url"),
    ],
)
def test_what_is_the_jobs_own_never_counts(own: ProviderError) -> None:
    """What passes, what was cut, and what is wrong with one job's content ends every row."""
    assert rows(Breakers(), [unknown(), own, own, unknown()]) == [1, 0, 0, 1]


def test_models_are_counted_apart_and_an_answer_ends_it() -> None:
    """Each model has its row; one that has answered once refuses single jobs only."""
    breakers = Breakers()
    breakers.answered("p", "good")
    assert [breakers.failed("p", name, unknown()) for name in ("m", "good", "n", "m")] == [
        1,
        0,
        1,
        2,
    ]


def mixed(count: int) -> list[Job | LineProblem]:
    """Jobs by turns for a provider that knows the model and one that does not."""
    return [job(f"{name}{n}", provider=name) for n in range(count) for name in ("fake", "good")]


async def test_a_model_that_nobody_knows_is_asked_for_a_few_times() -> None:
    """After five jobs that fail alike nothing more goes there; all others are answered."""
    bench = Bench(FakeProvider(lambda prompt, number: unknown()), concurrency=1)
    bench.others["good"] = FakeProvider(lambda prompt, number: whole("fine"), name="good")
    results = await bench.run(mixed(30))
    status = [result.status for result in results.values()]
    assert (status.count("failed"), status.count("succeeded")) == (ALIKE, 30)
    assert sum(bench.provider.asked.values()) == ALIKE
    halted = [event for event in bench.events if isinstance(event, ModelHalted)]
    assert [(e.provider, e.model, e.jobs) for e in halted] == [("fake", "m", ALIKE)]
    assert len(bench.of(JobLeft)) == 30 - ALIKE
    assert {r.error.kind for r in results.values() if r.error} == {"not_found"}


async def test_what_is_on_its_way_at_the_halt_is_recorded() -> None:
    """With many in flight each gets the record of what it was told, and the halt is told once."""
    bench = Bench(FakeProvider(lambda prompt, number: unknown()), concurrency=12)
    results = await bench.run([job(f"p{n}") for n in range(100)])
    asked = sum(bench.provider.asked.values())
    assert ALIKE <= asked <= 24
    assert len(results) == asked == len(bench.of(JobFinished))
    assert len(bench.of(ModelHalted)) == 1
    assert len(bench.of(JobLeft)) == 100 - asked


@pytest.mark.parametrize("kind", ["invalid_request", "bad_response", "internal"])
async def test_fewer_jobs_or_one_answer_halt_nothing(kind: ErrorKind) -> None:
    """Four failures, or more after an answer, are single failures."""

    def answer(prompt: str, number: int) -> Completion | ProviderError:
        return whole("ok") if prompt == "p2" else ProviderError(kind, "no", retryable=False)

    bench = Bench(FakeProvider(answer), concurrency=1)
    assert len(await bench.run([job(f"p{n}") for n in range(30)])) == 30
    assert bench.of(ModelHalted) == []
    few = Bench(FakeProvider(lambda prompt, number: unknown()), concurrency=1)
    assert len(await few.run([job(f"p{n}") for n in range(ALIKE - 1)])) == ALIKE - 1
    assert few.of(ModelHalted) == []
