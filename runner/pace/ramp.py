"""What was seen while the level rose: how fast the server was with fewer in flight. Pure."""

import math
from collections import deque

from runner.pace.throughput import Window

LEAST_RAMP = 16
"""Answers from which on a window tells something."""
WORSE = 0.96
"""Share of the most that was done, for who wants the highest level that does no harm."""
NEARLY = 0.97
"""Share of the most that was done that is as good as the most."""
_MORE = 1.1
"""Answers that came first are the short ones, which makes a new level look better than it is."""
_MOST_WINDOWS = 100
_FAR_FEWER = 0.6
"""A server is as slow as it is compared with levels below this share of the present one."""


class Ramp:
    """The windows of the levels gone through, lowest first."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._windows: deque[Window] = deque(maxlen=_MOST_WINDOWS)
        self._before = Window()
        """What had been asked before a leap."""

    def add_early(self, in_flight: int, seconds: float, tokens: float) -> None:
        """Learn from an answer to what was asked far below the present level."""
        self._before.add(in_flight, seconds, tokens)

    def add(self, window: Window) -> None:
        """Keep what one level showed."""
        self._windows.append(window)

    def leap(self) -> None:
        """Forget the levels below: they were left before they could show anything."""
        self._windows.clear()

    def slowed(self, window: Window, constant: float | None, *, early: bool = True) -> float | None:
        """Tell how much slower the server is than with far fewer in flight; None: unknown.

        `early` counts what was asked before a leap and answered after it, when the server may have
        been slow already: it proves slowness, and nothing else.
        """
        before = Window()
        for one in (self._before, *self._windows) if early else self._windows:
            if one.level <= _FAR_FEWER * window.level:
                before.merge(one)
        if before.count < LEAST_RAMP:
            return None
        return window.slowness(constant) / before.slowness(constant)

    def does_no_more(self, window: Window, constant: float | None) -> bool:
        """Tell whether not clearly more is done than was with far fewer in flight."""
        fewer = [
            one.throughput(constant)
            for one in (self._before, *self._windows)
            if one.count >= LEAST_RAMP and one.level <= _FAR_FEWER * window.level
        ]
        return bool(fewer) and window.throughput(constant) < _MORE * max(fewer)

    def best(self, least: float, constant: float | None, *, keen: bool) -> float:
        """Tell at which level most was done; `keen`: the highest of those that did as much.

        `least` is the level at which the server would be as fast as with few, by Little's law.
        """
        done = [(one.level, one.throughput(constant)) for one in self._windows]
        most = max(throughput for _, throughput in done)
        if keen:
            return max(level for level, throughput in done if throughput >= WORSE * most)
        first = min(level for level, throughput in done if throughput >= NEARLY * most)
        return max(1.0, least, math.sqrt(max(1.0, least) * first))
