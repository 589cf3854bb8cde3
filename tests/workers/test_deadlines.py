"""Promises of the crew: an answer has its time, whatever the workers do."""

import sys

import anyio
import pytest

from runner.workers import crew, member
from runner.workers.crew import Crew
from tests.providers.asking import QUESTION
from tests.providers.bodies import WHOLE
from tests.providers.raw_server import Reply, answer, raw_server
from tests.workers.asking import by_workers, children, config_of

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]

HOLD = Reply((), "hold")
GOOD = answer(WHOLE["openai"])


async def test_time_that_is_over_cuts_the_request_off() -> None:
    """No answer within the given time is told as such, its connection ends, the worker goes on."""
    async with (
        raw_server(HOLD, GOOD) as server,
        by_workers(config_of({"openai": server.url})) as providers,
    ):
        provider = await providers.get("openai", "m")
        body = provider.body("m", QUESTION, stream=False)
        with anyio.fail_after(10), pytest.raises(TimeoutError):
            await provider.complete(body, timeout_s=20.0, within_s=0.3)
        with anyio.fail_after(5):
            await server.gone.wait()
        assert len(server.requests) == 1
        worker = children()
        answered = await provider.complete(body, timeout_s=20.0, within_s=20.0)
        assert children() == worker
    assert answered.text == "Hi"


async def test_time_is_over_also_where_no_worker_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a worker that never comes up waits no longer than for an answer."""
    async with (
        raw_server(GOOD) as server,
        by_workers(config_of({"openai": server.url})) as providers,
    ):
        provider = await providers.get("openai", "m")
        body = provider.body("m", QUESTION, stream=False)
        monkeypatch.setattr(crew.Crew, "_least_busy", lambda *_: None)
        with anyio.fail_after(10), pytest.raises(TimeoutError):
            await provider.complete(body, timeout_s=20.0, within_s=0.1)
    assert server.requests == []


async def test_the_wait_for_a_worker_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a worker first has so much less time for the answer."""
    async with (
        raw_server(HOLD) as server,
        by_workers(config_of({"openai": server.url})) as providers,
    ):
        provider = await providers.get("openai", "m")
        body = provider.body("m", QUESTION, stream=False)
        wait = crew.Crew._next

        async def late(self: Crew, provider: int) -> member.Member:
            await anyio.sleep(0.5)
            monkeypatch.undo()
            return await wait(self, provider)

        monkeypatch.setattr(crew.Crew, "_least_busy", lambda *_: None)
        monkeypatch.setattr(crew.Crew, "_next", late)
        began = anyio.current_time()
        with pytest.raises(TimeoutError):
            await provider.complete(body, timeout_s=20.0, within_s=0.9)
        lasted = anyio.current_time() - began
    assert len(server.requests) == 1
    assert 0.8 < lasted < 1.3
