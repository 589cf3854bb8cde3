"""A session ends, whatever breaks in it."""

from collections.abc import AsyncGenerator
from typing import Any, cast

import anyio
import pytest

from runner.engine.hold import Hold
from runner.engine.outcome import Recording
from runner.engine.stop import Stop
from runner.errors import LineProblem
from runner.models import Job
from runner.pace.pace import Pace
from runner.results.journal import NoJournal
from runner.run.session import EngineSettings, Session
from runner.settings import Deadlines


async def nothing() -> AsyncGenerator[Job | LineProblem, None]:
    """Give no jobs."""
    for job in cast("list[Job]", []):
        yield job


@pytest.mark.anyio
async def test_a_bug_before_the_first_job_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """What breaks while the engine is put together is raised, and nobody waits for ever."""

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Session, "_shard", broken)
    stop = Stop()
    session = Session(
        settings=EngineSettings(recording=Recording(run_id="r"), deadlines=Deadlines()),
        providers=cast("Any", None),
        journal=NoJournal(),
        output=None,
        emit=lambda _: None,
        stop=stop,
        hold=Hold(stop=stop, emit=lambda _: None, patience_s=0.0),
        pace=Pace(now=anyio.current_time(), concurrency=1, draw=lambda: 0.0),
        clock=cast("Any", None),
        random=cast("Any", None),
    )
    with anyio.fail_after(5), pytest.raises(RuntimeError, match="a bug"):
        await session.run(nothing())
