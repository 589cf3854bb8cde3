"""Whether refusals that nobody explains are about our rate at all. Knows of no pace and no clock.

A server whose bucket is empty refuses most of what comes until it has filled; at a lower pace it
refuses nothing. One that refuses by chance does neither: so both can be told apart.
"""

_MASSIVE, _MASSIVE_AMID_NOISE = 3.0, 6.0
_LET_IN = 0.2
"""With so much off for each that was let in, one refusal in six balances."""
_NOISE = 0.125
"""A larger share than this is no noise."""
_FAR_TOO_MUCH, _SOON = 0.2, 3
_LEAST_NOISE = 0.004
_ENOUGH, _MOST_NEEDED = 5, 40
_FREE = 8
_DOSE, _DOSES = 2.5, 15
_NOISE_LIKELY = 0.02
_EXPECTED, _AT_ONCE = 8, 7


class Doubt:
    """Counts refusals against what was sent in between: by serial numbers, so no answer counts."""

    __slots__ = ("_count", "_from", "_last", "_needed", "_score", "_share")

    def __init__(self) -> None:
        self._score = 0.0
        self._last = 0
        self._from = 0
        self._count = 0
        self._needed = _ENOUGH
        self._share = 0.0

    def refused(self, serial: int) -> None:
        """Take in that the request with this number was refused."""
        let_in = max(0, serial - self._last - 1)
        self._score = max(0.0, self._score - _LET_IN * let_in) + 1.0
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
        return self._score >= (_MASSIVE_AMID_NOISE if amid_noise else _MASSIVE)

    def settle(self) -> None:
        """Forget how many were refused at once: something was done about it."""
        self._score = 0.0

    def begin(self, serial: int) -> None:
        """Count from this request on."""
        self._from, self._count = serial, 0

    def is_steady(self) -> bool:
        """Tell whether refusals came often enough for a trial, though nothing slows them yet."""
        return self._count >= _FREE and self._last_share() >= _LEAST_NOISE

    def is_chance(self) -> bool:
        """Tell whether, at a pace that was cut, too many are still refused for it to be rate."""
        if self._count < self._needed:
            return False
        self._share = self._last_share()
        return _LEAST_NOISE <= self._share <= _NOISE

    def is_too_much(self) -> bool:
        """Tell whether so large a share is refused that a lower pace has to be tried first."""
        return (self._count >= _SOON and self._last_share() > _FAR_TOO_MUCH) or (
            self._count >= self._needed and self._last_share() > _NOISE
        )

    def is_dose(self) -> bool:
        """Tell whether, at the pace restored, far more are refused than at the one that was cut."""
        least = _DOSE * max(self._share, _NOISE_LIKELY) + _NOISE_LIKELY
        return self._count >= _DOSES and self._last_share() > least

    def is_refuted(self) -> bool:
        """Tell whether, before so many were refused at once, nearly all were let in."""
        expected = self._share * (self._last - self._from)
        return expected >= _EXPECTED and self._count - _AT_ONCE < expected / 3

    def was_wrong(self) -> None:
        """Ask for more evidence the next time."""
        self._needed = min(_MOST_NEEDED, 2 * self._needed)

    def _last_share(self) -> float:
        return self._count / max(1, self._last - self._from)
