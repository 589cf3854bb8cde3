"""How a run is stopped: first drain (answers on their way are waited for), then cancel."""

from time import monotonic

from anyio import CancelScope, Event, move_on_after

from runner.models import InterruptionReason

STOPPED: dict[InterruptionReason, str] = {
    "sigint": "stopped by Ctrl-C before the answer had ended",
    "sigterm": "stopped by SIGTERM before the answer had ended",
    "sighup": "stopped because the terminal was closed before the answer had ended",
    "closed_pipe": "stopped because the reader closed the pipe",
    "deadline": "stopped by --max-runtime before the answer had ended",
}
"""What an interrupted record says, by what stopped the run."""


class Stop:
    """The two stages of stopping, shared by the feeder and the workers of a shard."""

    def __init__(self) -> None:
        self.reason: InterruptionReason | None = None
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

    def drain(self, reason: InterruptionReason | None = None) -> None:
        """Start nothing new; jobs that wait for their next attempt are left without a record."""
        # Whoever stops a run whose time was over already is the one who stopped it.
        if self.reason is None or (self.reason == "deadline" and reason is not None):
            self.reason = reason
        self.feeding.cancel()
        self._drained.set()

    def cancel(self, reason: InterruptionReason | None = None) -> None:
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
