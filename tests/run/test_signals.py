"""Promises of signals in a run: first gently, then at once; what is ignored stays ignored.

The end of the time (`--max-runtime`) is a first signal.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from anyio import create_task_group, fail_after, wait_all_tasks_blocked

from runner.engine.stop import Stop
from runner.events import Stopping
from runner.run.signals import REASONS, SignalWatch

pytestmark = pytest.mark.anyio
PATIENCE_S = 10


@contextmanager
def caught(*numbers: int, ignored: bool = False) -> Iterator[None]:
    """Let signals that nobody watches harm nothing, neither during the test nor after it."""
    handler = signal.SIG_IGN if ignored else (lambda *_: None)
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, was)


def watch(
    stop: Stop, said: list[Stopping], *, grace_s: float, time_left_s: float | None = None
) -> SignalWatch:
    """Watch for a run with three answers on their way."""
    return SignalWatch(
        stop=stop,
        grace_s=grace_s,
        in_flight=lambda: 3,
        tell=said.append,
        time_left_s=time_left_s,
    )


async def send(number: int, stop: Stop, *, cancelled: bool) -> None:
    """Send this process a signal and wait until it has had its effect."""
    os.kill(os.getpid(), number)
    with fail_after(PATIENCE_S):
        while not (stop.working.cancel_called if cancelled else stop.draining):
            await wait_all_tasks_blocked()


@pytest.mark.parametrize("number", REASONS)
async def test_the_first_signal_drains_and_the_second_cuts_off(number: int) -> None:
    """The first is told with what is waited for; the reason stays that of the first."""
    stop, said = Stop(), list[Stopping]()
    with caught(*REASONS):
        async with create_task_group() as group:
            group.start_soon(watch(stop, said, grace_s=30).run)
            await wait_all_tasks_blocked()
            await send(number, stop, cancelled=False)
            assert not stop.working.cancel_called
            assert said == [Stopping(REASONS[number], 3, 30)]
            await send(signal.SIGTERM, stop, cancelled=True)
            group.cancel_scope.cancel()
    assert len(said) == 1
    assert stop.reason == REASONS[number]


async def test_a_signal_long_after_the_cut_off_ends_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two that come soon are one stop; who asks again later waits for something that is stuck."""
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    stop = Stop()
    with caught(*REASONS):
        async with create_task_group() as group:
            group.start_soon(watch(stop, [], grace_s=0).run)
            await wait_all_tasks_blocked()
            await send(signal.SIGINT, stop, cancelled=True)
            assert codes == []
            monkeypatch.setattr("runner.run.signals.LAST_RESORT_S", 0.0)
            os.kill(os.getpid(), signal.SIGTERM)
            with fail_after(PATIENCE_S):
                while not codes:
                    await wait_all_tasks_blocked()
            group.cancel_scope.cancel()
    assert codes == [143]


async def test_the_end_of_the_grace_cuts_off() -> None:
    """One signal is enough where answers take longer than they are given."""
    stop, said = Stop(), list[Stopping]()
    with caught(*REASONS):
        async with create_task_group() as group:
            group.start_soon(watch(stop, said, grace_s=0.01).run)
            await wait_all_tasks_blocked()
            await send(signal.SIGINT, stop, cancelled=True)
            group.cancel_scope.cancel()
    assert [event.grace_s for event in said] == [0.01]


async def test_no_grace_cuts_off_at_once() -> None:
    """Whoever gave no grace is not told of any."""
    stop, said = Stop(), list[Stopping]()
    with caught(*REASONS):
        async with create_task_group() as group:
            group.start_soon(watch(stop, said, grace_s=0).run)
            await wait_all_tasks_blocked()
            await send(signal.SIGINT, stop, cancelled=True)
            group.cancel_scope.cancel()
    assert (said, stop.reason) == ([], "sigint")


async def test_an_ignored_signal_stays_ignored() -> None:
    """Under nohup a closed terminal stops nothing, during the run and after it."""
    stop, said = Stop(), list[Stopping]()
    with caught(signal.SIGINT, signal.SIGTERM), caught(signal.SIGHUP, ignored=True):
        async with create_task_group() as group:
            group.start_soon(watch(stop, said, grace_s=30).run)
            await wait_all_tasks_blocked()
            os.kill(os.getpid(), signal.SIGHUP)
            await send(signal.SIGTERM, stop, cancelled=False)
            group.cancel_scope.cancel()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    assert [event.signal for event in said] == ["sigterm"]


async def test_the_end_of_the_time_drains_and_its_grace_cuts_off() -> None:
    """Time over is told once, waited for, and then cut off."""
    stop, said = Stop(), list[Stopping]()
    with caught(*REASONS):
        async with create_task_group() as group:
            group.start_soon(watch(stop, said, grace_s=0.02, time_left_s=0.01).run)
            with fail_after(PATIENCE_S):
                while not stop.draining:
                    await wait_all_tasks_blocked()
                while not stop.working.cancel_called:
                    await wait_all_tasks_blocked()
            group.cancel_scope.cancel()
    assert said == [Stopping("deadline", 3, 0.02)]
    assert stop.reason == "deadline"


async def test_the_end_of_the_time_without_grace_cuts_off_at_once() -> None:
    """Whoever gave no grace gets none."""
    stop, said = Stop(), list[Stopping]()
    with caught(*REASONS):
        async with create_task_group() as group:
            group.start_soon(watch(stop, said, grace_s=0, time_left_s=0.01).run)
            with fail_after(PATIENCE_S):
                while not stop.working.cancel_called:
                    await wait_all_tasks_blocked()
            group.cancel_scope.cancel()
    assert (said, stop.reason) == ([], "deadline")


async def test_a_signal_after_the_end_of_the_time_cuts_off_and_is_the_reason() -> None:
    """Nobody has to ask twice then; the code is the signal's, which comes before a limit's."""
    stop, said = Stop(), list[Stopping]()
    with caught(*REASONS):
        async with create_task_group() as group:
            group.start_soon(watch(stop, said, grace_s=30, time_left_s=0).run)
            with fail_after(PATIENCE_S):
                while not said:
                    await wait_all_tasks_blocked()
            await send(signal.SIGINT, stop, cancelled=True)
            group.cancel_scope.cancel()
    assert (len(said), stop.reason) == (1, "sigint")


async def test_the_end_of_the_time_hurries_nobody_who_was_stopped_before() -> None:
    """A signal's grace is not cut short, and the reason stays the signal."""
    stop, said = Stop(), list[Stopping]()
    stop.drain("sigterm")
    with caught(*REASONS):
        async with create_task_group() as group:
            group.start_soon(watch(stop, said, grace_s=30, time_left_s=0).run)
            await wait_all_tasks_blocked()
            assert not stop.working.cancel_called
            group.cancel_scope.cancel()
    assert (said, stop.reason) == ([], "sigterm")
