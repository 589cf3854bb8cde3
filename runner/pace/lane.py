"""One lane: the requests of one provider and model family, which share limits. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct

from runner.models import Usage
from runner.pace.limiter import Holder, Limiter
from runner.pace.permit import Need, Permit
from runner.pace.valve import Outcome, Ticket, Valve
from runner.quota import Quota

_DATED = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8}|latest)$")


def family(model: str) -> str:
    """Name what shares a model's limits: its dated snapshots do."""
    return _DATED.sub("", model)


@dataclass(eq=False, slots=True)
class Lane:
    """The limits that hold for some requests, from the widest to their own."""

    own: Limiter
    """What the server says of this lane, or is found by trying."""
    given: tuple[Limiter, ...]
    """The ceilings that a person gave: for the run, for the provider."""
    valve: Valve
    cached_is_free: bool = False
    """Whether input read from the provider's cache does not count against its limits."""

    def wait(self, need: Need, now: float) -> float:
        """Tell in how many seconds a request may start, so far as rates decide."""
        wait = self.own.wait(need, now)
        for limiter in self.given:
            wait = max(wait, limiter.wait(need, now))
        return wait

    def holds(self, now: float) -> Holder | None:
        """Tell which rate holds it back."""
        for limiter in (self.own, *self.given):
            if (holder := limiter.holds(now)) is not None:
                return holder
        return None

    def learn_rate(self, need: Need) -> None:
        """Let the valve know how many requests a second the server's own limits permit."""
        self.valve.rate_known(self.own.rate(need) if self.own.is_told else None)


class Grant(Struct, eq=False):
    """A start that was granted. What becomes of the request is told once; then it is closed."""

    lane: Lane
    permits: list[tuple[Limiter, Permit]]
    ticket: Ticket
    draw: Callable[[], float]
    on_close: Callable[[int | None], None]
    """Told what the request cost."""
    _told: bool = False

    def answered(self, now: float, usage: Usage | None, quota: Quota | None) -> None:
        """The request brought an answer, or a failure that was paid for."""
        asked = written = None
        if usage is not None and usage.complete:
            asked, written = usage.input_tokens, usage.output_tokens
            if asked is not None and self.lane.cached_is_free:
                asked -= usage.cached_input_tokens or 0
        for limiter, permit in self.permits:
            told = quota if limiter is self.lane.own else None
            limiter.settle(permit, now, input_tokens=asked, output_tokens=written, quota=told)
        self._end("ok", now, written)

    def refused(self, now: float, retry_after_s: float | None, quota: Quota | None) -> float:
        """The request was refused for rate; give the seconds for which its job has to wait."""
        seen, delay = False, 0.0
        for limiter, permit in self.permits:
            if limiter is self.lane.own:
                seen = limiter.refused(
                    permit, now, retry_after_s=retry_after_s, quota=quota, draw=self.draw()
                )
                delay = limiter.job_delay(permit, now)
            else:
                limiter.failed(permit, now)
        # What the rates explain says nothing of how many may be in flight, and chance little.
        chance = self.lane.own.doubts(now)
        self._end("cancelled" if seen else "unlucky" if chance else "refused", now)
        return delay

    def failed(self, now: float, quota: Quota | None, *, overloaded: bool = False) -> None:
        """The request failed, and nobody knows what it used."""
        for limiter, permit in self.permits:
            limiter.failed(permit, now, quota=quota if limiter is self.lane.own else None)
        self._end("overloaded" if overloaded else "failed", now)

    def turned_away(self, now: float, quota: Quota | None, *, comes_again: bool) -> None:
        """There was no room at the tier that was asked for: no limit of the account's was met.

        How many of ours are out changes nothing about that, so it is no overload: half of the
        requests may be turned away while all others are served. `comes_again`: the job is asked
        at another tier at once, so that it says nothing at all. Else it is one more failure: few
        change nothing, and where most are turned away fewer are sent in vain.
        """
        for limiter, permit in self.permits:
            limiter.turned_away(permit, now, quota=quota if limiter is self.lane.own else None)
        self._end("cancelled" if comes_again else "failed", now)

    def close(self, now: float, cost: int | None = 0) -> None:
        """Make room for another; a request of which nothing was told was never sent.

        `cost`: what it cost; None where that is unknown.
        """
        if not self._told:
            for limiter, permit in self.permits:
                limiter.cancelled(permit, now)
            self._end("cancelled", now)
        self.on_close(cost)

    def _end(self, outcome: Outcome, now: float, tokens: float | None = None) -> None:
        self._told = True
        self.lane.learn_rate(self.permits[-1][1].need)
        self.lane.valve.ended(self.ticket, now, outcome, tokens)
