"""Whether refusals that nobody explains are about our rate at all. Knows of no pace and no clock.

A server whose bucket is empty refuses most of what comes until it has filled; at a lower pace it
refuses nothing. One that refuses by chance does neither: so both can be told apart.
"""

import math

_MASSIVE, _MASSIVE_AMID_NOISE = 3.0, 6.0
_LET_IN = 0.2
"""With so much off for each that was let in, one refusal in six balances."""
_NOISE = 0.125
"""A larger share than this is no noise while the pace may still be too fast."""
_MOST_NOISE = 0.9
_MORE, _PER_NOISE = 1.5, 80.0
"""Amid much noise: how much more balances, and how many more in a row are massive."""
_FAR_TOO_MUCH, _SOON = 0.2, 3
_LEAST_NOISE = 0.004
_ENOUGH, _MOST_NEEDED, _NEEDED_SLOW = 5, 40, 8
_FREE = 8
_DOSE, _DOSES = 2.5, 15
_LEARNT = 1.5
_FLOW_GROWS = 0.7
"""By chance as many of those sent are let in at a higher pace; less than this share of it tells."""
_NOISE_LIKELY = 0.02
_EXPECTED, _AT_ONCE = 8, 7


class Doubt:
    """Counts refusals against what was sent in between: by serial numbers, so no answer counts."""

    __slots__ = (
        "_count",
        "_first",
        "_first_most",
        "_from",
        "_judged",
        "_last",
        "_needed",
        "_score",
        "_share",
    )

    def __init__(self) -> None:
        self._score = 0.0
        self._last = 0
        self._from = 0
        self._count = 0
        self._needed = _ENOUGH
        self._share = self._first = self._first_most = 0.0
        self._judged = 1

    def refused(self, serial: int, *, amid_noise: bool) -> None:
        """Take in that the request with this number was refused."""
        let_in = max(0, serial - self._last - 1)
        share = self._most_share
        off = max(_LET_IN, _MORE * share / (1 - share)) if amid_noise else _LET_IN
        self._score = max(0.0, self._score - off * let_in) + 1.0
        self._last = max(self._last, serial)
        self._count += 1

    @property
    def noise(self) -> float:
        """The share that was refused when refusals were found to be chance."""
        return self._share

    @property
    def let_in(self) -> int:
        """How many were let in since it began to count."""
        return max(0, self._last - self._from - self._count)

    def is_massive(self, *, amid_noise: bool) -> bool:
        """Tell whether so many were refused at once that chance is no explanation."""
        if not amid_noise:
            return self._score >= _MASSIVE
        return self._score >= _MASSIVE_AMID_NOISE + _PER_NOISE * max(0.0, self._most_share - _NOISE)

    def settle(self) -> None:
        """Forget how many were refused at once: something was done about it."""
        self._score = 0.0

    def begin(self, serial: int) -> None:
        """Count from this request on."""
        self._from, self._count = serial, 0

    def is_steady(self) -> bool:
        """Tell whether refusals came often enough for a trial, though nothing slows them yet."""
        return self._count >= _FREE and self._last_share() >= _LEAST_NOISE

    def is_chance(self, *, slow: bool) -> bool:
        """Tell whether, at a pace that was cut, too many are still refused for it to be rate.

        `slow`: the pace is far below what the server lets in, so that any share is chance.
        """
        if self._count < (min(self._needed, _NEEDED_SLOW) if slow else self._needed):
            return False
        share = self._last_share()
        if not _LEAST_NOISE <= share <= (_MOST_NOISE if slow else _NOISE):
            return False
        self._judge(share)
        self._first, self._first_most = share, self._most_share
        return True

    def learn(self) -> None:
        """Take the share of noise from more requests than before; what is no dose is noise."""
        if self._count >= _DOSES and self._last - self._from >= self._judged:
            self._judge(min(self._last_share(), _LEARNT * self._first_most))

    def _judge(self, share: float) -> None:
        self._share, self._judged = share, self._last - self._from

    def is_too_much(self) -> bool:
        """Tell whether so large a share is refused that a lower pace has to be tried first."""
        return (self._count >= _SOON and self._last_share() > _FAR_TOO_MUCH) or (
            self._count >= self._needed and self._last_share() > _NOISE
        )

    def is_all(self) -> bool:
        """Tell whether nearly nothing is let in, which says nothing of what comes after."""
        return self._count >= self._needed and self._last_share() > _MOST_NOISE

    def is_dose(self) -> bool:
        """Tell whether, at the pace restored, far more are refused than at the one that was cut."""
        least = _DOSE * max(self._first, _NOISE_LIKELY) + _NOISE_LIKELY
        least = min(least, 1 - _FLOW_GROWS * (1 - self._first_most))
        return self._count >= _DOSES and self._last_share() > least

    def is_refuted(self) -> bool:
        """Tell whether, before so many were refused at once, nearly all were let in."""
        expected = self._share * (self._last - self._from)
        return expected >= _EXPECTED and self._count - _AT_ONCE < expected / 3

    def was_wrong(self) -> None:
        """Ask for more evidence the next time."""
        self._needed = min(_MOST_NEEDED, 2 * self._needed)

    @property
    def _most_share(self) -> float:
        """The share of noise as it may well be, for so few that were counted."""
        share = self._share
        return min(_MOST_NOISE, share + math.sqrt(share * (1 - share) / self._judged))

    def _last_share(self) -> float:
        return self._count / max(1, self._last - self._from)
