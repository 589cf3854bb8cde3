"""Signals of a run, and the end of its time: the first one drains, the second one cuts off."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from anyio import create_task_group, open_signal_receiver, sleep
from anyio.abc import TaskGroup

from runner.engine.stop import Stop, StopReason
from runner.events import Stopping
from runner.run.failing import FailureLimit

REASONS: dict[int, StopReason] = {
    signal.SIGINT: "sigint",
    signal.SIGTERM: "sigterm",
    signal.SIGHUP: "sighup",
}

LAST_RESORT_S = 2.0
"""So long after the cut-off all that came has been written. Who asks once more is waiting for
something that is stuck, such as a disk, or for the file's order, which the next run makes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignalWatch:
    """Turns signals, and the end of the time, into the two stages of a stop.

    A signal that comes long after the second stage ends the process at once.
    """

    stop: Stop
    grace_s: float
    """Seconds that the first signal leaves to the answers on their way; 0 cuts them off."""
    in_flight: Callable[[], int]
    tell: Callable[[Stopping], None]
    time_left_s: float | None = None
    """Seconds until the run is stopped as by a first signal; None sets no bound."""
    failures: FailureLimit | None = None
    """Stops the run in the same way when it is reached; None sets no bound."""

    async def run(self) -> None:
        """Watch until cancelled, then hush. A signal that is ignored (`nohup`) stays ignored."""
        heard = [number for number in REASONS if signal.getsignal(number) != signal.SIG_IGN]
        try:
            await self._listen(heard)
        finally:
            hush()

    async def _listen(self, heard: list[int]) -> None:
        with open_signal_receiver(*(signal.Signals(number) for number in heard)) as signals:
            async with create_task_group() as group:
                if self.time_left_s is not None:
                    group.start_soon(self._stop_in_time, self.time_left_s, group)
                if self.failures is not None:
                    group.start_soon(self._stop_at, self.failures, group)
                async for number in signals:
                    if self.stop.cut_for_s >= LAST_RESORT_S:
                        end_now(number)
                    self._stop(REASONS[number], group)

    async def _stop_in_time(self, seconds: float, group: TaskGroup) -> None:
        await sleep(seconds)
        if not self.stop.draining:  # its grace bounds what a signal has begun
            self._stop("deadline", group)

    async def _stop_at(self, failures: FailureLimit, group: TaskGroup) -> None:
        await failures.reached.wait()
        if not self.stop.draining:
            self._stop("failures", group, failures.told)

    def _stop(self, reason: StopReason, group: TaskGroup, because: str = "") -> None:
        if self.stop.draining or self.grace_s <= 0:
            self.stop.cancel(reason)
            return
        self.tell(Stopping(reason, self.in_flight(), self.grace_s, because))
        self.stop.drain(reason)
        group.start_soon(self._cut_off_after_grace, reason)

    async def _cut_off_after_grace(self, reason: StopReason) -> None:
        await sleep(self.grace_s)
        self.stop.cancel(reason)


def hush() -> None:
    """Let the end of a run be told: what is left takes moments, and no signal changes it.

    The first one from here on is passed over; another ends the process at once.
    """
    _handle(_pass_over)


def _pass_over(_number: int, _frame: FrameType | None) -> None:
    _handle(end_now)


def end_now(number: int, _frame: FrameType | None = None) -> None:
    """End the process as this signal does, at once and past whatever is stuck."""
    os._exit(128 + number)


def _handle(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in REASONS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


@contextmanager
def handlers_restored() -> Iterator[None]:
    """Leave the handlers as they were, whatever the block does to them."""
    before = {number: signal.getsignal(number) for number in REASONS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)
