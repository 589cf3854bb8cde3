"""Turns whose prompts begin alike: one goes, the others wait aside until the cache can be read."""

from collections.abc import Callable, Iterable
from functools import partial

from runner.engine.beginnings import Key, beginnings
from runner.engine.priming import Priming, Shared
from runner.engine.turn import Turn
from runner.engine.waiting import Waiting

_REFUSED = ("rate_limit", "overloaded")


class Primed:
    """Carries out what `Priming` decides, for the turns of one shard.

    Whoever waits here waits for a request that is out. When that ends, however it does, they go on.
    """

    def __init__(self, priming: Priming, waiting: Waiting, go_on: Callable[[], None]) -> None:
        """`go_on` is called where turns may start because an answer has begun to come."""
        self._priming = priming
        self._waiting = waiting
        self._go_on = go_on

    def look_at(self, turn: Turn, spoken: bytes) -> None:
        """Find out what a new turn may share with others."""
        api = self._priming.apis.get(turn.job.provider)
        keys = () if api is None else beginnings(turn.job, api, spoken)
        if keys:
            turn.shared = Shared(keys)

    def holds(self, turn: Turn, now: float) -> bool:
        """Set a turn aside that has to wait for another's answer; else it is taken to start."""
        shared = turn.shared
        if shared is None:
            return False
        key = self._priming.waits_for(shared)
        if key is not None:
            self._waiting.set_aside(turn, key)
            return True
        if self._priming.started(shared, _server(turn), turn.sequence, now):
            turn.begun = partial(self._begun, turn, shared)
        return False

    def let_go_overdue(self, now: float) -> float:
        """Let those go who have waited long enough; give the moment at which more have."""
        if self._priming.next_at <= now:
            self._let_go(self._priming.overdue(now))
        return self._priming.next_at

    def ended(self, turn: Turn) -> None:
        """Note how a request ended, and let go who waited for it."""
        shared = turn.shared
        if shared is None:
            return
        turn.begun = None
        last = turn.attempts[-1] if len(turn.attempts) > turn.sent else None
        if last is not None and last.outcome == "ok":
            cached = None if last.usage is None else last.usage.cached_input_tokens
            self._priming.answered(shared, _server(turn), cached)
            self._let_go(self._priming.readable(shared))
        else:
            refused = last is None or last.outcome in _REFUSED
            self._let_go(self._priming.failed(shared, refused=refused))

    def _begun(self, turn: Turn, shared: Shared) -> None:
        turn.begun = None
        self._let_go(self._priming.readable(shared))
        self._go_on()

    def _let_go(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._waiting.call_back(key)


def _server(turn: Turn) -> tuple[str, str]:
    return turn.job.provider, turn.job.model
