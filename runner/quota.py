"""What a response's headers say of the limits of its account. Pure data."""

from msgspec import Struct


class Gauge(Struct, frozen=True, kw_only=True, gc=False):
    """One limit as a server shows it; None where it does not say, or says what cannot be."""

    limit: int | None = None
    """Per minute."""
    remaining: int | None = None
    """What was left when the server looked, mostly when it let the request in."""
    reset_s: float | None = None
    """Seconds until all of it is there again."""


class Quota(Struct, frozen=True, kw_only=True):
    """The limits that one response told of."""

    requests: Gauge = Gauge()
    tokens: Gauge = Gauge()
    """Input and output together."""
    input_tokens: Gauge = Gauge()
    output_tokens: Gauge = Gauge()

    @property
    def told(self) -> bool:
        """Whether it says anything at all."""
        return self != _NOTHING


_NOTHING = Quota()
