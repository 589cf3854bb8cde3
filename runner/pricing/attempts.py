"""What attempts cost, those that brought no answer included. The one place for this rule.

| what became of the attempt | cost |
|---|---|
| a final count came | the count at its rates; null where the price is unknown |
| a count came that is not final (cut stream) | null |
| refused before anything was generated: bad request, key, quota, 404, 429 | 0 |
| refused as overloaded: 498, 529, or a 503 with the provider's own error code | 0 |
| refused because there is no room at flex price: 429 | 0 |
| nothing was sent: no connection, a request that cannot be written | 0 |
| anything else: time-outs, other 5xx, broken connections, stopped by us | null |

A 503 without a code may come from a proxy that lost an answer under way, so it is no refusal.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from msgspec import UNSET, UnsetType

from runner.errors import ProviderError
from runner.models import AttemptRecord, Usage
from runner.pricing.rates import picodollars, usd

_REFUSALS = frozenset({"invalid_request", "auth", "quota", "not_found", "rate_limit"})
_AMBIGUOUS_STATUS = 503


def cost_of_failure(error: ProviderError, price: Callable[[Usage], float | None]) -> float | None:
    """Give what a failed attempt cost in USD; None where it may have cost something unknown."""
    usage = None if error.completion is None else error.completion.usage
    if usage is not None:
        return price(usage)
    return 0.0 if _is_free(error) else None


def _is_free(error: ProviderError) -> bool:
    if error.unsent:
        return True
    if error.interruption is not None or error.completion is not None:
        return False
    if error.kind == "overloaded":
        return error.http_status != _AMBIGUOUS_STATUS or error.code is not None
    return error.kind in _REFUSALS


def cost_of_attempts(
    attempts: Iterable[AttemptRecord], price: Callable[[Usage], float | None]
) -> float | None:
    """Sum up in USD what a job cost; None where the cost of any attempt is unknown.

    What an attempt was found to cost when it was made stands; one whose price was unknown then is
    priced by its count, if it may be known by now. One in another lane than live stays unknown:
    the record does not tell whether the tier or its price was.
    """
    total = 0
    for attempt in attempts:
        cost = attempt.cost_usd
        if cost is None and attempt.usage is not None and attempt.lane is UNSET:
            cost = price(attempt.usage)
        if cost is None:
            return None
        total += picodollars(cost)
    return usd(total)


class Charged(Protocol):
    """As much of an attempt as a budget has to know."""

    @property
    def cost_usd(self) -> float | None: ...

    @property
    def at_most_usd(self) -> float | UnsetType: ...


class Spent(NamedTuple):
    """What recorded attempts took of a budget, in picodollars."""

    known: int = 0
    unknown: int = 0
    """The most that attempts of unknown cost can have cost."""
    unbounded: int = 0
    """How many attempts nobody can say anything of; they are in neither sum."""

    @property
    def counted(self) -> int:
        """What counts against a budget."""
        return self.known + self.unknown

    def __add__(self, other: object) -> "Spent":
        """Add up part by part."""
        if not isinstance(other, Spent):
            return NotImplemented
        return Spent(*(one + another for one, another in zip(self, other, strict=True)))


def spent_on(attempts: Iterable[Charged]) -> Spent:
    """Sum up what the attempts of one record took of a budget."""
    known = unknown = unbounded = 0
    for attempt in attempts:
        if attempt.cost_usd is not None:
            known += picodollars(attempt.cost_usd)
        elif attempt.at_most_usd is not UNSET:
            unknown += picodollars(attempt.at_most_usd)
        else:
            unbounded += 1
    return Spent(known, unknown, unbounded)
