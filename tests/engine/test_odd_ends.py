"""Jobs that end in a way nobody meant: the record says no more than what happened."""

from typing import Any

import pytest

from runner.errors import ProviderError
from runner.models import Completion, Request
from runner.settings import Deadlines
from tests.engine.fakes import Bench, FakeProvider, job

pytestmark = pytest.mark.anyio


def bug(_prompt: str, _number: int) -> Completion | ProviderError | float:
    raise ZeroDivisionError("an odd answer")


class Bodiless(FakeProvider):
    """A provider that cannot put the request together."""

    def body(self, model: str, request: Request, *, stream: bool) -> dict[str, Any]:
        raise ZeroDivisionError("an odd job")


async def test_a_request_that_ended_in_a_bug_was_sent() -> None:
    """An answer that runner could not handle is an attempt like any other."""
    found = await Bench(FakeProvider(bug)).run([job("p")])
    assert [attempt.outcome for attempt in found["p"].attempts] == ["internal"]
    assert found["p"].error is not None
    assert found["p"].error.kind == "internal"


async def test_what_was_never_sent_took_no_time() -> None:
    """Without a request there is no attempt, no start and no duration."""
    found = await Bench(Bodiless(bug)).run([job("p")])
    result = found["p"]
    assert (result.attempts, result.started_at, result.duration_s) == ([], None, None)


@pytest.mark.parametrize(
    ("deadlines", "said"),
    [
        (Deadlines(attempt_s=0.01), "no answer within 0.0s (--attempt-timeout)"),
        (Deadlines(attempt_s=30, job_s=0.05), "no answer within 0.1s (--job-timeout)"),
    ],
)
async def test_a_deadline_is_named_as_it_was_given(deadlines: Deadlines, said: str) -> None:
    """The message names the option and its value, not what was left of it."""
    bench = Bench(FakeProvider(lambda _prompt, _number: 60.0), deadlines=deadlines)
    found = await bench.run([job("p")])
    assert found["p"].error is not None
    assert found["p"].error.message.startswith(said)
