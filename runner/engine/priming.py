"""Which request is sent alone first, so that others read their prompt's beginning from the cache.

A provider can let nobody read a beginning before it has processed the first request that carries
it: requests that go out together all pay in full. So of those that share one, one goes first and
the others wait: until it is answered (or its first words come), for PATIENCE_S at the most, and if
it fails until another in its place was answered, FAILURES times at the most.

Where it does not pay nobody waits:
- Where fewer than LEAST_JOBS are left. All go out at once then and take as long as one, and waiting
  would double that to save a few cents.
- Where MISSES waited and not one of them read from a cache: the server has none, or does not tell.

Pure: the time comes in. It knows beginnings, not jobs, and whoever waits is kept elsewhere.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from runner.engine.beginnings import Key
from runner.models import Api

LEAST_JOBS = 10
PATIENCE_S = 10.0
"""A prompt is processed when its answer begins, which without a stream nobody sees; for what takes
longer the writing is to blame, and the others can read by then."""
FAILURES = 2
MISSES = 16
LIVES_S = 240.0
"""A beginning that was not used for so long is sent alone again. Providers keep it for 5 minutes;
where they keep it longer one request pays that need not have waited."""
_MOST_KNOWN = 4_096


@dataclass(slots=True)
class Shared:
    """The beginnings of one job's prompt, and what they have meant for it."""

    keys: tuple[Key, ...]
    primes: tuple[Key, ...] = ()
    """Those that its request, which is out, makes readable."""
    waited: bool = False


@dataclass(slots=True)
class _Server:
    """What is known of the cache of one provider and model."""

    reads: bool = False
    misses: int = 0


@dataclass(slots=True)
class Priming:
    """Keeps which beginnings can be read, and which are about to be."""

    apis: Mapping[str, Api]
    """By provider; what others are asked is not looked at."""
    total: int | None = None
    """How many jobs there are; None where nobody knows."""
    _known: dict[Key, float] = field(default_factory=dict, init=False)
    """When each beginning was last sent; the one that was not used for longest comes first."""
    _until: dict[Key, float] = field(default_factory=dict, init=False)
    """Beginnings whose first request is out, and until when it is waited for; soonest first."""
    _failed: dict[Key, int] = field(default_factory=dict, init=False)
    _servers: dict[tuple[str, str], _Server] = field(default_factory=dict, init=False)

    @property
    def next_at(self) -> float:
        """When a wait is over, whatever happens; infinity where nobody is waited for."""
        return next(iter(self._until.values()), math.inf)

    def waits_for(self, shared: Shared) -> Key | None:
        """Give the beginning that a job has to wait for now; None where it may go."""
        if self._until:
            for key in shared.keys:
                if key in self._until:
                    shared.waited = True
                    return key
        return None

    def started(self, shared: Shared, server: tuple[str, str], sequence: int, now: float) -> bool:
        """Note that a request goes out. True if others wait for it.

        `server`: the provider and model; `sequence`: the job's place among all, from 0.
        """
        new = [key for key in shared.keys if self._known.pop(key, -math.inf) < now - LIVES_S]
        for key in shared.keys:
            self._known[key] = now
        while len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]
        if not new or not self._pays(server, sequence):
            return False
        shared.primes = tuple(new)
        self._until.update(dict.fromkeys(new, now + PATIENCE_S))
        return True

    def _pays(self, server: tuple[str, str], sequence: int) -> bool:
        if self.total is not None and self.total - sequence < LEAST_JOBS:
            return False
        known = self._servers.get(server)
        return known is None or known.reads or known.misses < MISSES

    def overdue(self, now: float) -> Iterator[Key]:
        """Give the beginnings for which nobody waits any longer."""
        while self._until and self.next_at <= now:
            key = next(iter(self._until))
            del self._until[key]
            yield key

    def readable(self, shared: Shared) -> Iterator[Key]:
        """Note that the answer to a request has begun; give what others need not wait for."""
        primes, shared.primes = shared.primes, ()
        for key in primes:
            self._failed.pop(key, None)
            if self._until.pop(key, None) is not None:
                yield key

    def failed(self, shared: Shared, *, refused: bool) -> Iterator[Key]:
        """Note that a request ended without an answer; give what another may try.

        `refused`: for rate or want of room, or it was never sent. That is soon told, and is no
        failure of this kind of prompt.
        """
        primes, shared.primes = shared.primes, ()
        for key in primes:
            failed = self._failed.pop(key, 0) + (not refused)
            if failed < FAILURES:
                self._known.pop(key, None)
                self._failed[key] = failed
            if self._until.pop(key, None) is not None:
                yield key
        while len(self._failed) > _MOST_KNOWN:
            del self._failed[next(iter(self._failed))]

    def answered(self, shared: Shared, server: tuple[str, str], cached: int | None) -> None:
        """Learn from the answer to a job whether waiting helps; `cached`: tokens that it read."""
        if shared.waited:
            known = self._servers.setdefault(server, _Server())
            known.reads |= bool(cached)
            known.misses += not cached
