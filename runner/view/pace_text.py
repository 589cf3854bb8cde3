"""How far a run is and how fast it goes, as pure text over figures."""

from collections import deque
from math import ceil

from runner.view.tally import Tally
from runner.words import count, duration, money

_SPAN_S = 30.0
"""The rate is that of the last half minute."""
_STEP_S = 0.5
_ENOUGH_S = 1.0
"""A rate over less than this would jump about."""


class Rate:
    """Jobs finished per second of late."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def note(self, now: float, finished: int) -> None:
        """Take a sample; `now` in monotonic seconds."""
        if not self._samples or now - self._samples[-1][0] >= _STEP_S:
            self._samples.append((now, finished))
        while len(self._samples) > 2 and now - self._samples[1][0] >= _SPAN_S:
            self._samples.popleft()

    def per_second(self, now: float, finished: int) -> float | None:
        """Give the rate; None while it is not known."""
        if not self._samples or now - self._samples[0][0] < _ENOUGH_S:
            return None
        then, before = self._samples[0]
        return (finished - before) / (now - then)


def rate_text(per_second: float) -> str:
    """Write a rate in the unit in which it is easily read: `41/s`, `2.5/s`, `12/min`."""
    if per_second >= 9.95:
        return f"{count(round(per_second))}/s"
    if per_second >= 1:
        return f"{per_second:.1f}/s"
    return f"{per_second * 60:.0f}/min" if per_second * 60 >= 1 else f"{per_second * 3600:.0f}/h"


def facts(tally: Tally, rate: float | None, pace: str | None) -> list[str]:
    """List counts, failures, requests out, rate and time left; what is not known is left out.

    `pace` says what holds the pace now, such as `-c`.
    """
    total = tally.total
    parts = [f"{count(tally.finished)} done"]
    if total is not None:
        parts = [f"{count(tally.finished)}/{count(total)}"]
    if tally.failed:
        parts.append(f"{count(tally.failed)} failed")
    held = f" ({pace})" if pace else ""
    parts.append(f"{count(tally.in_flight)} at once{held}")
    if rate:
        parts.append(rate_text(rate))
    if tally.money.priced:
        parts.append(money(tally.money.known_usd))
    if rate and total is not None and total > tally.finished:
        parts.append(f"{duration(ceil((total - tally.finished) / rate))} left")
    return parts


def fitted(parts: list[str], room: int, gap: str = "  ") -> str:
    """Join what fits into `room` columns; what matters least goes first, the counts never."""
    parts = list(parts)
    while len(parts) > 1 and len(gap.join(parts)) > room:
        # Least of all: how many at once, then the rate; the time left is what people look for.
        at_once = next((part for part in parts if " at once" in part), None)
        parts.remove(at_once or (parts[-2] if len(parts) > 2 else parts[-1]))
    return gap.join(parts)[: max(0, room)]
