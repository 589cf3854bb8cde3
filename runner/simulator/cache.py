"""The cache of prompts: a beginning can be read once a request that carries it was processed.

Decides at once; the clock is an argument. It knows nothing of HTTP and of how usage is told.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from runner.simulator.ask import Ask, CacheUse
from runner.simulator.prefixes import Prefix, Prefixes, prefixes_of
from runner.simulator.scenario import Cache

_SWEPT_FROM = 10_000


@dataclass(slots=True)
class _Entry:
    readable_at: float
    expires_at: float
    lives_s: float


@dataclass(slots=True)
class Found:
    """What the cache has for one ask, and what the ask will leave there."""

    ask: Ask
    """The same ask, with what of its input is read and written."""
    read: tuple[Prefix, ...] = ()
    written: tuple[Prefix, ...] = ()
    readable_at: float = field(default=0.0, init=False)


class PromptCache:
    """Keeps beginnings of prompts by model; one for all callers, as for one account."""

    def __init__(self, settings: Cache | None, clock: Callable[[], float]) -> None:
        """Without `settings` nothing is ever kept."""
        self._settings = settings
        self._clock = clock
        self._entries: dict[bytes, _Entry] = {}
        self._sweep_from = _SWEPT_FROM

    def look_up(self, ask: Ask) -> Found:
        """See what an ask that is processed from now on may read. Changes nothing."""
        if self._settings is None:
            return Found(ask)
        prefixes = prefixes_of(ask, self._settings.minimum_tokens)
        now = self._clock()
        hits = [prefix for prefix in prefixes.readable if self._is_live(prefix, now)]
        read = hits[-1].tokens if hits else 0
        written = tuple(prefix for prefix in prefixes.writable if prefix.tokens > read)
        # OpenAI takes nothing for writing and tells nothing of it.
        use = CacheUse(read=read) if ask.api != "messages" else _use(read, written)
        return Found(replace(ask, cache=use), _used(prefixes, read), written)

    def keep(self, found: Found, processed_in_s: float) -> None:
        """Note an ask that is let in: what it reads lives on, what it writes can be read later."""
        if self._settings is None:
            return
        now = self._clock()
        self._sweep(now)
        for prefix in found.read:
            entry = self._entries.get(prefix.key)
            if entry is not None and entry.readable_at <= now:
                entry.expires_at = now + entry.lives_s
        found.readable_at = at = now + processed_in_s + self._settings.ready_s
        for prefix in found.written:
            lives_s = self._settings.hour_s if prefix.for_an_hour else self._settings.lives_s
            entry = self._entries.get(prefix.key)
            if entry is None or entry.expires_at <= now or entry.readable_at > at:
                self._entries[prefix.key] = _Entry(at, at + lives_s, lives_s)

    def withdraw(self, found: Found) -> None:
        """Note that a caller has gone: what was not processed by now never will be."""
        if found.readable_at <= self._clock():
            return
        for prefix in found.written:
            entry = self._entries.get(prefix.key)
            if entry is not None and entry.readable_at == found.readable_at:
                del self._entries[prefix.key]

    def _is_live(self, prefix: Prefix, now: float) -> bool:
        entry = self._entries.get(prefix.key)
        return entry is not None and entry.readable_at <= now < entry.expires_at

    def _sweep(self, now: float) -> None:
        if len(self._entries) < self._sweep_from:
            return
        live = {key: entry for key, entry in self._entries.items() if entry.expires_at > now}
        self._entries = live
        self._sweep_from = max(_SWEPT_FROM, 2 * len(live))


def _used(prefixes: Prefixes, read: int) -> tuple[Prefix, ...]:
    """Give what is refreshed: the beginning that was read, and all that it begins with."""
    return tuple(prefix for prefix in prefixes.readable if prefix.tokens <= read)


def _use(read: int, written: tuple[Prefix, ...]) -> CacheUse:
    total = for_an_hour = 0
    before = read
    for prefix in written:
        total += prefix.tokens - before
        for_an_hour += (prefix.tokens - before) * prefix.for_an_hour
        before = prefix.tokens
    return CacheUse(read=read, written=total, written_for_an_hour=for_an_hour)
