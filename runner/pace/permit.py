"""What a request asks of the limiter, and what it was given. Pure data."""

import math

from msgspec import Struct

from runner.pace.entry import Entry, Size
from runner.pace.meter import Meter


class Need(Struct, frozen=True, gc=False):
    """What is known of a request before it is sent."""

    model: str
    input_bytes: int
    output_cap: int | None
    """The most tokens it may write (times the number of answers); None where nobody said."""


class Permit(Struct, eq=False):
    """A start that was granted; to be given back exactly once."""

    need: Need
    sent_at: float
    size: Size
    """Estimated."""
    held: float
    """Tokens held under a configured ceiling."""
    entries: list[tuple[Meter, Entry]]
    serial: int
    """Its number among those of its limiter."""
    again_at: float = -math.inf
    """Once refused: the moment before which its job is not to be sent again, though others are."""
    open: bool = True
