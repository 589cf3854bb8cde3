"""What all calls of the batch services share: scenario, counts, clock and addresses."""

import itertools
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from runner.simulator.batches.tally import BatchTally
from runner.simulator.scenario import Batch, Scenario
from runner.simulator.stats import Stats


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Addresses of this server beside its own, as `http://host:port`."""

    results: str | None = None
    """Where `results_url` points; None: to wherever the caller reached this server."""
    foreign_port: int | None = None
    """The port of the trap, if `results` is one."""


class Context:
    """Handed to every call."""

    def __init__(
        self, scenario: Scenario, stats: Stats, clock: Callable[[], float], places: Places
    ) -> None:
        """`clock` is in seconds."""
        self.scenario = scenario
        self.stats = stats
        self.clock = clock
        self.places = places
        self._epoch = time.time() - clock()
        self._prefix = secrets.token_hex(6)
        self._serials = itertools.count(1)

    @property
    def settings(self) -> Batch:
        """The scenario's settings for batches."""
        return self.scenario.batch

    @property
    def tally(self) -> BatchTally:
        """The counts; another object after a reset."""
        return self.stats.batches

    def serial(self) -> str:
        """Make up what tells one thing from another; hexadecimal."""
        return f"{self._prefix}{next(self._serials):08x}"

    def wall(self, moment: float) -> float:
        """Turn a moment of the clock into seconds since 1970."""
        return self._epoch + moment
