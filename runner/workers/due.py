"""What has to be over at its time, however many there are: one timer for all."""

import asyncio
import math
from collections.abc import Callable


class Due:
    """Moments by number. Nearly all are taken back long before they come.

    A cancel scope with a timer for each was a tenth of what the parent did for a request.
    """

    def __init__(self, overdue: Callable[[int], object]) -> None:
        """`overdue` is called with each number whose moment has come, and which is forgotten."""
        self._overdue = overdue
        self._moments: dict[int, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._looks_at = math.inf
        """No moment comes before that."""
        self._loop = asyncio.get_running_loop()

    def add(self, number: int, seconds: float) -> None:
        """Have a number called so soon; infinity is never."""
        if seconds == math.inf:
            return
        moment = self._moments[number] = self._loop.time() + seconds
        if moment < self._looks_at:
            self._look_at(moment)

    def remove(self, number: int) -> None:
        """Take a number back, whether it is there or not."""
        self._moments.pop(number, None)

    def close(self) -> None:
        """Call nobody any more."""
        self._moments.clear()
        self._look_at(math.inf)

    def _look_at(self, moment: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._looks_at = moment
        self._timer = None if moment == math.inf else self._loop.call_at(moment, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        overdue = [number for number, moment in self._moments.items() if moment <= now]
        for number in overdue:
            del self._moments[number]
        self._look_at(min(self._moments.values(), default=math.inf))
        for number in overdue:
            self._overdue(number)
