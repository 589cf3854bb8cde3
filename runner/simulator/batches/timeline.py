"""When a batch does what: a function of its settings, its creation and its cancellation."""

from dataclasses import dataclass
from typing import Literal

from runner.simulator.scenario import Batch

Phase = Literal["validating", "working", "finalizing", "ended", "cancelling", "cancelled"]


@dataclass(slots=True, kw_only=True)
class Timeline:
    """The moments of one batch, in seconds of the simulator's clock."""

    settings: Batch
    created: float
    cancelled: float | None = None
    """When somebody asked to cancel it."""

    @property
    def began(self) -> float:
        """When validation is over."""
        return self.created + self.settings.validating_s

    @property
    def worked(self) -> float:
        """When the last row is done."""
        return self.began + self.settings.processing_s

    @property
    def ended(self) -> float:
        """When the results are there, unless it is cancelled."""
        return self.worked + self.settings.finalizing_s

    @property
    def gone(self) -> float | None:
        """When the cancellation is through."""
        return None if self.cancelled is None else self.cancelled + self.settings.cancelling_s

    def phase(self, now: float) -> Phase:
        """Tell where the batch stands."""
        if self.gone is not None:
            return "cancelling" if now < self.gone else "cancelled"
        if now < self.began:
            return "validating"
        if now < self.worked:
            return "working"
        return "finalizing" if now < self.ended else "ended"

    def share(self, now: float) -> float:
        """Tell how much of the work is due, from 0 to 1; it stops with a cancellation."""
        at = now if self.cancelled is None else min(now, self.cancelled)
        if at >= self.worked:
            return 1.0
        return max(0.0, (at - self.began) / self.settings.processing_s) if at > self.began else 0.0
