"""Promises of the crew: an answer has its time, whatever the workers do."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import pytest

from runner.workers.crew import Crew
from runner.workers.due import Due
from runner.workers.member import Member
from tests.providers.asking import QUESTION
from tests.providers.bodies import WHOLE
from tests.providers.raw_server import RawServer, Reply, answer, raw_server
from tests.workers.asking import by_workers, children, config_of

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]

HOLD = Reply((), "hold")
GOOD = answer(WHOLE["openai"])


@asynccontextmanager
async def asked(reply: Reply) -> AsyncIterator[tuple[RawServer, Callable[[float], Awaitable[str]]]]:
    """Give a server, and what asks it by a worker and waits so many seconds for the text."""
    async with (
        raw_server(reply, GOOD) as server,
        by_workers(config_of({"openai": server.url})) as providers,
    ):
        provider = await providers.get("openai", "m")
        body = provider.body("m", QUESTION, stream=False)

        async def ask(within_s: float) -> str:
            with anyio.fail_after(20):
                answer = await provider.complete(body, timeout_s=20.0, within_s=within_s)
            return answer.text or ""

        yield server, ask


async def test_time_that_is_over_cuts_the_request_off() -> None:
    """No answer within the given time is told as such, its connection ends, the worker goes on."""
    async with asked(HOLD) as (server, ask):
        worker = children()
        with pytest.raises(TimeoutError):
            await ask(0.3)
        with anyio.fail_after(5):
            await server.gone.wait()
        assert len(server.requests) == 1
        assert await ask(15.0) == "Hi"
        assert children() == worker


async def test_time_is_over_also_where_no_worker_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a worker that never comes up waits no longer than for an answer."""
    async with asked(GOOD) as (server, ask):
        monkeypatch.setattr(Crew, "_least_busy", lambda *_: None)
        with pytest.raises(TimeoutError):
            await ask(0.1)
    assert server.requests == []


async def test_the_wait_for_a_worker_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a worker first has so much less time for the answer."""
    given: list[float] = []
    wait, add = Crew._next, Due.add

    async def late(crew: Crew, provider: int) -> Member:
        await anyio.sleep(0.2)
        least_busy.undo()
        return await wait(crew, provider)

    def noted(due: Due, number: int, seconds: float) -> None:
        given.append(seconds)
        add(due, number, seconds)

    least_busy = pytest.MonkeyPatch()
    monkeypatch.setattr(Crew, "_next", late)
    monkeypatch.setattr(Due, "add", noted)
    async with asked(GOOD) as (_, ask):
        least_busy.setattr(Crew, "_least_busy", lambda *_: None)
        assert await ask(15.0) == "Hi"
    (left,) = given
    assert 0 < left <= 15.0 - 0.2
