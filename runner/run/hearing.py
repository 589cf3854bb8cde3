"""The signals of a conversation: one stops an answer, or a line that is being typed, not the whole.

They are listened to from the first prompt to the end without a gap, so that no Ctrl-C between two
turns finds Python's own handler.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from anyio import TASK_STATUS_IGNORED, open_signal_receiver
from anyio.abc import TaskStatus

from runner.engine.stop import Stop, StopReason
from runner.run.signals import LAST_RESORT_S, REASONS, end_now, hush


class Hearing:
    """Hears Ctrl-C, SIGTERM and SIGHUP, and gives them to whatever is under way."""

    def __init__(self) -> None:
        self.ended_by: StopReason | None = None
        """The signal that ends the conversation; Ctrl-C does not."""
        self._stop: Callable[[int], None] = _pass_over

    async def run(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Listen until cancelled, then hush. A signal that is ignored (`nohup`) stays ignored."""
        heard = [number for number in REASONS if signal.getsignal(number) != signal.SIG_IGN]
        try:
            with open_signal_receiver(*(signal.Signals(number) for number in heard)) as signals:
                task_status.started()
                async for number in signals:
                    if number != signal.SIGINT:
                        self.ended_by = REASONS[number]
                    self._stop(number)
        finally:
            hush()

    @contextmanager
    def answering(self, stop: Stop) -> Iterator[None]:
        """Let a signal stop the answer at once, and one that comes long after end the process."""

        def cut(number: int) -> None:
            if stop.cut_for_s >= LAST_RESORT_S:
                end_now(number)
            stop.cancel(REASONS[number])

        with self._meaning(cut):
            yield

    @contextmanager
    def typing(self, *, stop: Callable[[], None], leave: Callable[[], None]) -> Iterator[None]:
        """Let Ctrl-C clear what was typed; it comes as a key, too, which is not for here."""
        with self._meaning(lambda number: stop() if number == signal.SIGINT else leave()):
            yield

    @contextmanager
    def _meaning(self, stop: Callable[[int], None]) -> Iterator[None]:
        self._stop = stop
        try:
            yield
        finally:
            self._stop = _pass_over


def _pass_over(_number: int) -> None:
    """Let what takes moments be done."""
