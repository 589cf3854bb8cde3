"""The gate that a refusal shuts for every request, until the server wants to be asked again."""

import math

_FIRST_S, _SOON_S = 0.5, 2.0
_LONGEST_UNASKED_S = 15.0
_LONG_OPEN_S = 3.0
_SHARE = 0.1
"""Of the time for which every request was refused: so long it waits at least, whatever is asked."""
_LONGEST_S = 86_400.0
_JITTER = 0.1


class Gate:
    """Shut until a moment. It knows nothing of rates: a Retry-After drives this clock alone."""

    __slots__ = ("_bad_at", "_doubt_from", "_unasked_s", "until")

    def __init__(self) -> None:
        self.until = -math.inf
        self._bad_at = self._doubt_from = math.inf
        self._unasked_s = _FIRST_S

    def left(self, now: float) -> float:
        """Tell for how many seconds it stays shut."""
        return max(0.0, self.until - now)

    def shut(self, now: float, sent_at: float, retry_after_s: float | None, draw: float) -> None:
        """Stay shut for as long as asked and up to a tenth more; `draw` is from 0 to 1.

        Where the server does not say, half a second, and longer while refusals go on.
        """
        self._doubt_from = math.inf
        if sent_at > self.until + _LONG_OPEN_S:
            self._bad_at = math.inf  # for so long nobody had been refused
        self._bad_at = min(self._bad_at, sent_at)
        asked = _asked(retry_after_s)
        if asked is None:
            if sent_at >= self.until > -math.inf:
                # Sent after the gate opened, refused again.
                self._unasked_s = min(_SOON_S, 2 * self._unasked_s)
            asked = self._unasked_s
        bad_s = min(_LONGEST_UNASKED_S, _SHARE * (now - self._bad_at))
        span = min(max(asked, bad_s), _LONGEST_S) * (1 + _JITTER * draw)
        self.until = max(self.until, now + span)

    def shut_in_doubt(self, now: float, sent_at: float, retry_after_s: float, draw: float) -> None:
        """Stay shut as asked, but only until one that was sent later turns out to be let in."""
        if self.left(now) == 0.0:
            self.shut(now, sent_at, retry_after_s, draw)
            self._doubt_from = sent_at

    def passed(self, sent_at: float) -> None:
        """Note that a request sent at `sent_at` was let in."""
        if sent_at > self._doubt_from:
            self.until = self._doubt_from
            self._doubt_from = math.inf
        if sent_at >= self.until:
            self._unasked_s = _FIRST_S
            self._bad_at = math.inf


def wait_alone(retry_after_s: float | None, draw: float) -> float:
    """Tell how many seconds a job waits that was refused while others were let in."""
    asked = _asked(retry_after_s)
    if asked is None:
        return _FIRST_S * (1 + draw)
    return min(asked, _LONGEST_S) * (1 + _JITTER * draw)


def _asked(retry_after_s: float | None) -> float | None:
    if retry_after_s is None or not 0 <= retry_after_s < math.inf:
        return None
    return retry_after_s
