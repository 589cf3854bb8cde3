"""What a server shows against what we believed: how far to correct, and who else uses the key."""

import math

_UP = 0.1
"""Share of an error in our favour that is believed at once; one against us is believed in full."""
_INTEGRAL = 0.15
_YOUNG_S, _KEEN = 15.0, 3.0
"""So much more is made of an error in so many seconds from the first header on: another run may
have begun in the same moment, and each believes that all is its own."""
_MOST_DISTURBED = 0.95
_REFUSED = 0.06
"""Share of the rate given up after a refusal that the figures foretold to nobody."""
_LEAK_S = 100.0
"""A disturbance that nothing confirms is forgotten in this time."""
_SMALL_LEAK_S = 800.0
"""The same where the bucket is too small for its headers to confirm anything."""
_DEEPEST = 1.0
"""Capacities below empty: further down no header may push a bucket."""
_SILENT_S = 3.0
_FORGET = 0.9
"""What is left of a disturbance after each further second without a header."""


class Observer:
    """Corrects one bucket from `remaining` headers.

    A header tells of the moment when its request was let in, seconds ago. So it is compared with
    what we believed when the request left, and what was corrected since is not corrected again.
    What errors keep pointing at is somebody else who uses the key: it becomes a lower rate.
    """

    __slots__ = ("_at", "_leak_s", "_slowed_at", "_young_until", "corrected", "disturbance")

    def __init__(self, now: float) -> None:
        self._at = now
        self._slowed_at = -math.inf
        self._leak_s = _LEAK_S
        self._young_until = math.inf
        self.corrected = 0.0
        """Sum of all corrections."""
        self.disturbance = 0.0
        """What others seem to take, per second."""

    def refused(self, sent_at: float, now: float, rate: float) -> None:
        """Slow down a little, once for all that were sent before the last time."""
        if sent_at > self._slowed_at:
            self._slowed_at = now
            self._leak_s = _SMALL_LEAK_S
            self.disturbance = min(_MOST_DISTURBED * rate, self.disturbance + _REFUSED * rate)

    def relax(self, now: float) -> bool:
        """Forget a disturbance slowly while no header tells of it: who waits sees nothing."""
        silent = now - self._at
        if silent < _SILENT_S:
            return False
        self._at = now - _SILENT_S + 1.0
        self.disturbance *= _FORGET ** (silent - _SILENT_S + 1.0)
        return True

    def correct(
        self,
        error: float,
        now: float,
        *,
        level: float,
        capacity: float,
        rate: float,
        coarse: bool = False,
    ) -> float:
        """Tell by how much to change the level, given how much more the server has than we.

        `coarse`: the bucket is too small for an error to mean much.
        """
        passed = min(1.0, max(0.0, now - self._at))
        self._at = now
        if error < 0:
            change = max(error, min(0.0, -_DEEPEST * capacity - level))
        else:
            change = _UP * max(0.0, min(error, capacity - level))
        self.corrected += change
        self._young_until = min(self._young_until, now + _YOUNG_S)
        gain = _INTEGRAL * (_KEEN if now < self._young_until and not coarse else 1.0)
        disturbed = self.disturbance * (1 - passed / self._leak_s) - gain * change
        self.disturbance = min(_MOST_DISTURBED * rate, max(0.0, disturbed))
        return change
