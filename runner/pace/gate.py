"""The gate that a refusal shuts for every request, until the server wants to be asked again."""

import math

_FIRST_S = 0.5
_LONGEST_UNASKED_S = 15.0
_LONGEST_S = 86_400.0
_JITTER = 0.1


class Gate:
    """Shut until a moment. It knows nothing of rates: a Retry-After drives this clock alone."""

    __slots__ = ("_unasked_s", "until")

    def __init__(self) -> None:
        self.until = -math.inf
        self._unasked_s = _FIRST_S

    def left(self, now: float) -> float:
        """Tell for how many seconds it stays shut."""
        return max(0.0, self.until - now)

    def shut(self, now: float, sent_at: float, retry_after_s: float | None, draw: float) -> None:
        """Stay shut for as long as asked and up to a tenth more; `draw` is from 0 to 1.

        Where the server does not say, half a second, and longer while refusals go on.
        """
        if retry_after_s is None or not 0 <= retry_after_s < math.inf:
            if sent_at >= self.until > -math.inf:
                # Sent after the gate opened, refused again.
                self._unasked_s = min(_LONGEST_UNASKED_S, 2 * self._unasked_s)
            retry_after_s = self._unasked_s
        span = min(retry_after_s, _LONGEST_S) * (1 + _JITTER * draw)
        self.until = max(self.until, now + span)

    def passed(self, sent_at: float) -> None:
        """Note that a request sent at `sent_at` was let in."""
        if sent_at >= self.until:
            self._unasked_s = _FIRST_S
