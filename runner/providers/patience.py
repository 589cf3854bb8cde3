"""Until when the next event of a stream is waited for. Knows neither bytes nor APIs."""

import math
from collections.abc import Mapping
from typing import Any

import anyio

from runner.providers.assembling import StreamAssembly
from runner.providers.fields import string

LINGER_S = 5.0
"""How long to wait, after the answer's end, for the token counts that follow it."""

_KEEP_ALIVES = frozenset({"ping", "keepalive", "keep-alive", "keep_alive", "heartbeat"})


class Patience:
    """The bound on one stream's next event; it moves on with every event that says something."""

    def __init__(self, idle_s: float) -> None:
        """`idle_s` bounds the wait once the model's words have begun."""
        self._idle_s = idle_s
        self._deadline: float | None = None
        self._lingering = False

    def until(self, assembly: StreamAssembly) -> float:
        """The moment, on the event loop's clock, at which waiting ends; infinity for no bound.

        Time counts only while somebody waits: a slow reader of the text is not the server's fault.
        """
        if self._lingering and not assembly.ended:  # another choice began after the first
            self._lingering, self._deadline = False, None
        if assembly.ended and not self._lingering:
            self._lingering = True
            self._deadline = anyio.current_time() + LINGER_S
        elif self._deadline is None and assembly.has_output:
            self._deadline = anyio.current_time() + self._idle_s
        return math.inf if self._deadline is None else self._deadline

    def renew(self, event: Mapping[str, Any], name: str) -> None:
        """Take note of an event; one that only keeps the connection alive changes nothing."""
        kind = string(event.get("type")) or name
        if not self._lingering and kind not in _KEEP_ALIVES:
            self._deadline = None
