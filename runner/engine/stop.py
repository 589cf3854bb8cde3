"""How a run is stopped: first drain (answers on their way are waited for), then cancel."""

from time import monotonic
from typing import Literal

from anyio import CancelScope, Event, move_on_after

from runner.models import InterruptionReason

StopReason = InterruptionReason | Literal["failures", "budget"]
"""What stops a run: a signal, a reader who goes away, or a limit that the user set."""

LIMITS: frozenset[StopReason] = frozenset({"deadline", "failures", "budget"})
"""The limits among them."""

STOPPED: dict[StopReason, str] = {
    "sigint": "stopped by Ctrl-C before the answer had ended",
    "sigterm": "stopped by SIGTERM before the answer had ended",
    "sighup": "stopped because the terminal was closed before the answer had ended",
    "closed_pipe": "stopped because the reader closed the pipe",
    "deadline": "stopped by --max-runtime before the answer had ended",
    "failures": "stopped by --max-failures before the answer had ended",
    "budget": "stopped by --max-cost before the answer had ended",
}
"""What an interrupted record says, by what stopped the run."""


def recorded(reason: StopReason) -> tuple[InterruptionReason, str]:
    """Give the reason and the words with which a record says that its answer was cut off."""
    # What failures stop is cut off when the time for the answers on their way is over.
    if reason == "failures" or reason == "budget":
        return "deadline", STOPPED[reason]
    return reason, STOPPED[reason]


class Stop:
    """The two stages of stopping, shared by the feeder and the workers of a shard."""

    def __init__(self) -> None:
        self.reason: StopReason | None = None
        """What stopped the run; None while nothing did, or where it merely ran out of work."""
        self.feeding = CancelScope()
        self.working = CancelScope()
        self._drained = Event()
        self._cut = Event()
        self._cut_at = 0.0

    @property
    def cut(self) -> bool:
        """Whether what was in flight is cut off."""
        return self._cut.is_set()

    @property
    def cut_for_s(self) -> float:
        """Seconds since then; 0 where nothing was cut off."""
        return monotonic() - self._cut_at if self.cut else 0.0

    @property
    def draining(self) -> bool:
        """Whether nothing new may be sent."""
        return self._drained.is_set()

    async def drained(self) -> None:
        """Wait until nothing new may be sent."""
        await self._drained.wait()

    def drain(self, reason: StopReason | None = None) -> None:
        """Start nothing new; jobs that wait for their next attempt are left without a record."""
        # Whoever stops a run that a limit had stopped already is the one who stopped it.
        if self.reason is None or (self.reason in LIMITS and reason is not None):
            self.reason = reason
        self.feeding.cancel()
        self._drained.set()

    def cancel(self, reason: StopReason | None = None) -> None:
        """Cut off what is in flight as well."""
        self.drain(reason)
        self.working.cancel()
        if not self.cut:
            self._cut_at = monotonic()
        self._cut.set()

    async def pause(self, seconds: float) -> bool:
        """Wait so long. False, and at once, if the run is stopped meanwhile."""
        with move_on_after(seconds):
            await self._drained.wait()
        return not self.draining

    async def pause_drained(self, seconds: float) -> None:
        """Wait so long, or until what is in flight is cut off as well."""
        with move_on_after(seconds):
            await self._cut.wait()
