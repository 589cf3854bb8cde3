"""One job on its way through a run: what has been tried so far."""

from dataclasses import dataclass, field

from anyio.streams.memory import MemoryObjectSendStream
from msgspec import UNSET, Raw, UnsetType

from runner.models import AttemptRecord, Job
from runner.providers.base import Assembly


@dataclass(kw_only=True, slots=True)
class Turn:
    """The state of one job within one run. One task at a time owns it, so it may change."""

    job: Job
    sequence: int
    """Place among the jobs of this run, from 0."""
    requeue: "MemoryObjectSendStream[Turn]"
    """The turn's own clone of the queue's sending end; the queue lives while one is open."""
    taken: bool = False
    """Whether a worker holds it; a sender cancelled at that moment must then let go of it."""
    attempts: list[AttemptRecord] = field(default_factory=list)
    """One entry per request sent, those of earlier runs first."""
    tries: int = 0
    """Attempts in this run that count against the limit."""
    refusals: int = 0
    """Attempts in this run that were refused for rate."""
    started_at: str | None = None
    """RFC 3339, the first send of this run."""
    started: float = 0.0
    """Monotonic seconds of the same moment."""
    gated_s: float = 0.0
    """Seconds spent waiting because the provider refused for rate, or nothing could be written."""
    first_token_s: float | None = None
    streamed: bool = False
    request: Raw | UnsetType = UNSET
    """The body that was sent, where it is to be kept."""
    assembly: Assembly | None = None
    """The streamed answer under way; it can be read after a cut."""
