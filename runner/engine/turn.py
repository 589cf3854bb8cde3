"""One job on its way through a run: what has been tried so far."""

from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec import UNSET, Raw, UnsetType
from msgspec.structs import replace

from runner.engine.priming import Shared
from runner.errors import ProviderError
from runner.models import AttemptRecord, Job, Request
from runner.pace.lane import Grant, Lane
from runner.pace.permit import Need
from runner.pricing.rates import picodollars
from runner.pricing.tiers import FLEX, asked_tier, at_flex
from runner.providers.base import Assembly


@dataclass(kw_only=True, slots=True)
class Turn:
    """The state of one job within one run. One task at a time owns it, so it may change."""

    job: Job
    sequence: int
    """Place among the jobs of this run, from 0."""
    lane: Lane
    """In which it waits for its starts."""
    need: Need
    """What each of its requests asks of the pace."""
    worst: int = 0
    """The most that each of its requests can cost, in picodollars; 0 where nobody counts."""
    grant: Grant = field(init=False)
    """What the request that is out was given; set when it starts."""
    attempts: list[AttemptRecord] = field(default_factory=list)
    """One entry per request sent, those of earlier runs first."""
    sent: int = 0
    """How many entries there were when the request that is out was granted."""
    tries: int = 0
    """Attempts in this run that count against the limit."""
    refusals: int = 0
    """Attempts in this run that were refused for rate."""
    refused_at: float | None = None
    """Since when it waits because it was refused; None where it was not."""
    started_at: str | None = None
    """RFC 3339, the first send of this run."""
    started: float = 0.0
    """Monotonic seconds of the same moment."""
    gated_s: float = 0.0
    """Seconds spent waiting because the provider refused for rate, or nothing could be written."""
    flex: bool = False
    """Its next request asks for the flex tier, because the lane does and the job leaves it open."""
    served: str | None = None
    """The lane in which its last request was served, or failed; None where none was sent."""
    first_token_s: float | None = None
    error: ProviderError | None = None
    """Why it waits for another attempt."""
    streamed: bool = False
    request: Raw | UnsetType = UNSET
    """The body that was sent, where it is to be kept."""
    assembly: Assembly | None = None
    """The streamed answer under way; it can be read after a cut."""
    shared: Shared | None = None
    """What others may read from the cache once this was asked; None where that is nothing."""
    begun: Callable[[], None] | None = None
    """Called when the first words of its streamed answer come."""

    @property
    def asked_lane(self) -> str:
        """The lane in which its next request is asked."""
        return "flex" if self.flex else "live"

    @property
    def tier(self) -> object:
        """The service tier that its next request asks for; None where it names none."""
        return asked_tier(self.job.request.params, self.asked_lane)

    @property
    def asks_flex(self) -> bool:
        """Whether that is flex, by the lane or by the job itself."""
        return self.tier == FLEX

    def request_at_tier(self) -> Request:
        """Give the job's request, with the tier where the lane asks for one."""
        request = self.job.request
        return replace(request, params=at_flex(request.params)) if self.flex else request

    def cost(self) -> int | None:
        """Give what the request that is out cost in picodollars.

        0 where nothing was sent, None where nobody knows.
        """
        total = 0
        for attempt in self.attempts[self.sent :]:
            if attempt.cost_usd is None:
                return None
            total += picodollars(attempt.cost_usd)
        return total
