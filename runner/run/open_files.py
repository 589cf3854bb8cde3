"""How many requests may be out at once, so far as open files go: each takes one."""

import resource
from contextlib import suppress
from dataclasses import replace

from runner.pace.pace import MOST_IN_FLIGHT
from runner.settings import BatchSettings

_KEPT = 64
"""For everything but connections: the files of a run, libraries, pipes."""
_PLENTY = 1 << 20
"""Some systems allow a thousand times as many, and some libraries make a table of all of them."""


def within_system(settings: BatchSettings) -> BatchSettings:
    """Allow as many open files as the system lets us, and bound the requests by that."""
    most = settings.processes * max(1, _raised() - _KEPT)
    if settings.concurrency is None:
        return replace(settings, most_in_flight=min(MOST_IN_FLIGHT, most))
    if settings.concurrency <= most:
        return replace(settings, most_in_flight=most)
    return replace(
        settings, concurrency=most, most_in_flight=most, concurrency_wanted=settings.concurrency
    )


def _raised() -> int:
    """Raise this process's limit, and with it that of the processes it makes; give what it is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _PLENTY
    plenty = _PLENTY if hard == resource.RLIM_INFINITY else min(hard, _PLENTY)
    for wanted in (plenty, 10_240):  # macOS allows less than it says
        if soft >= wanted:
            break
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return wanted
    return min(soft, _PLENTY)
