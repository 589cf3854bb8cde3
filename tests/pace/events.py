"""Simulated time: things happen in order, and no time passes in between."""

import heapq
from collections.abc import Callable
from typing import Any


class Events:
    """A queue of calls, each with its moment."""

    def __init__(self) -> None:
        self.now = 0.0
        self._queue: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0

    def at(self, moment: float, call: Callable[..., None], *arguments: Any) -> None:
        """Have a call made at a moment, or at once if that has passed."""
        self._count += 1
        heapq.heappush(self._queue, (max(moment, self.now), self._count, call, arguments))

    def run(self, is_over: Callable[[], bool], longest_s: float = 100_000.0) -> None:
        """Make the calls in order until it is over."""
        while self._queue and not is_over() and self.now < longest_s:
            self.now, _, call, arguments = heapq.heappop(self._queue)
            call(*arguments)
