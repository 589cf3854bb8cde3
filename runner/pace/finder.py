"""The pace where no header tells it: found from refusals, then tried upwards slowly."""

from runner.pace.bucket import Bucket

_BELOW = 0.985
"""Share of the measured rate that is used after a refusal."""
_BLIND_CUT = 0.7
_LEAST_MEASURED_S = 3.0
_LEAST_MEASURED = 15
_LEAST_RATE = 1 / 60
_CREEP = 0.0004
"""Growth per second after a cut, as a share: the limit was just found, so it is near."""
_STRIDE_S = 90.0
"""After this long without a refusal the limit may well have moved: growth becomes cubic."""
_STEP_S = 0.5
_BURST_S = 0.25


class Finder:
    """Paces requests by what a server let in between two refusals.

    At a refusal the server's bucket is empty. So what it let in from one refusal to the next is
    what flowed in between, however large the bucket is.
    """

    __slots__ = ("_base", "_bucket", "_cut_at", "_episode_at", "_grown_at", "_sent", "_start")

    def __init__(self, now: float) -> None:
        self._bucket: Bucket | None = None
        self._base = 0.0
        self._cut_at = self._episode_at = self._grown_at = now
        self._start = True
        self._sent = 0

    @property
    def rate(self) -> float | None:
        """Requests per second; None while nothing was refused."""
        return self._bucket.rate if self._bucket else None

    def wait(self, now: float) -> float:
        """Tell how many seconds the next request has to wait."""
        if self._bucket is None:
            return 0.0
        if now - self._grown_at >= _STEP_S:
            self._grow(now)
        return self._bucket.wait(1.0, now)

    def sent(self, now: float) -> None:
        """Note a request that goes out."""
        if self._start:
            self._start = False
            self._episode_at = now
        self._sent += 1
        if self._bucket is not None:
            self._bucket.take(1.0, now)

    def unsent(self, now: float) -> None:
        """Take a request back that did not go out."""
        self._sent -= 1
        if self._bucket is not None:
            self._bucket.take(-1.0, now)

    def refused(self, now: float, sent_at: float, *, cut: bool) -> None:
        """Cut the pace, once an episode: who was sent before the last cut tells nothing new."""
        self._sent -= 1
        if not cut or (self._bucket is not None and sent_at <= self._cut_at):
            return
        span = sent_at - self._episode_at
        rate = self._bucket.rate if self._bucket else max(1, self._sent) / max(span, 1.0)
        if span >= _LEAST_MEASURED_S and self._sent >= _LEAST_MEASURED:
            rate = min(rate, self._sent / span) * _BELOW
        else:
            rate *= _BLIND_CUT
        self._set(max(rate, _LEAST_RATE), now)
        self._base = self._bucket.rate if self._bucket else rate
        self._cut_at = self._grown_at = now
        self._episode_at = sent_at
        self._sent = 0

    def hold(self, until: float) -> None:
        """Start slowly when the gate opens."""
        if self._bucket is not None:
            self._bucket.hold(until, 0.0)

    def _grow(self, now: float) -> None:
        since = now - self._cut_at
        self._grown_at = now
        self._set(self._base * (1 + _CREEP * since + (since / _STRIDE_S) ** 3), now)

    def _set(self, rate: float, now: float) -> None:
        capacity = max(1.0, rate * _BURST_S)
        if self._bucket is None:
            self._bucket = Bucket(now, rate=rate, capacity=capacity, level=0.0)
        else:
            self._bucket.refit(now, rate=rate, capacity=capacity)
