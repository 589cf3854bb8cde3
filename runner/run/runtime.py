"""The wall-clock bound on a run (`--max-runtime`)."""

import time


class Runtime:
    """The time that a run has, counted from its creation at the start of the command.

    Waiting for the lock, reading what is recorded and checking the input take of it, too.
    """

    def __init__(self, limit_s: float | None) -> None:
        """`limit_s` in seconds; None sets no bound."""
        self._ends_at = None if limit_s is None else time.monotonic() + limit_s

    def left(self) -> float | None:
        """Seconds until the run is to be stopped, 0 when it is over; None without a bound."""
        return None if self._ends_at is None else max(0.0, self._ends_at - time.monotonic())

    @property
    def over(self) -> bool:
        """Whether nothing may be sent any more."""
        return self.left() == 0.0

    def within(self, seconds: float) -> float:
        """The shorter of a wait and what is left."""
        left = self.left()
        return seconds if left is None else min(seconds, left)
