"""How far a run is, as a line of `--log-json` every 30 seconds."""

from collections.abc import Callable

from anyio import sleep

from runner.clock import Clock
from runner.view.log import Log
from runner.view.pace_text import Rate
from runner.view.progress import PLAIN_S
from runner.view.tally import Tally
from runner.view.texts_batches import Standing


class LogProgress:
    """Writes the tally it is given; let a task run `run_ticker`."""

    def __init__(self, log: Log, tally: Tally, clock: Clock) -> None:
        self.pace: Callable[[], str | None] = lambda: None
        """Says what holds the pace just now."""
        self.standing: Callable[[], Standing] | None = None
        """How the batches are, in the batch lane."""
        self._log = log
        self._tally = tally
        self._clock = clock
        self._rate = Rate()

    async def run_ticker(self) -> None:
        """Write a line now and then until cancelled."""
        self._rate.note(self._clock.monotonic(), self._tally.finished)
        while True:
            await sleep(PLAIN_S)
            self.tick()

    def tick(self) -> None:
        """Write one line."""
        if self.standing is not None:
            self._batches(self.standing())
            return
        tally, now = self._tally, self._clock.monotonic()
        self._rate.note(now, tally.finished)
        rate = self._rate.per_second(now, tally.finished)
        left = None
        if rate and tally.total is not None:
            left = (tally.total - tally.finished) / rate
        self._log.write(
            "progress",
            minor=True,
            finished=tally.finished,
            selected=tally.total,
            failed=tally.failed,
            in_flight=tally.in_flight,
            held_by=self.pace(),
            per_second=None if rate is None else round(rate, 3),
            cost_usd=tally.money.known_usd,
            left_s=None if left is None else round(left, 1),
        )

    def _batches(self, standing: Standing) -> None:
        tally, left = self._tally, standing.left_s
        self._log.write(
            "batch_progress",
            minor=True,
            finished=tally.finished,
            selected=tally.total,
            failed=tally.failed,
            batches=standing.batches,
            ended=standing.done,
            states=standing.words,
            elapsed_s=round(standing.elapsed_s, 1),
            expires_in_s=None if left is None else round(left, 1),
        )
