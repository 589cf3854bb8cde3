"""The work on one batch: rows are answered as they fall due, and nothing is kept but the lines."""

import asyncio
from collections import Counter
from collections.abc import Callable

from runner.simulator.batches.rows import Kind, Lot, Outcome, Row
from runner.simulator.batches.timeline import Phase, Timeline

_SLICE = 32
# How long a caller is kept waiting for a large batch; then it hears how far it has come.
_PATIENCE_S = 0.2

Write = Callable[[Row, Outcome], None]


class Work:
    """Goes through a lot. It is driven by whoever looks at the batch."""

    def __init__(
        self,
        lot: Lot,
        timeline: Timeline,
        clock: Callable[[], float],
        answer: Callable[[Row], Outcome],
        write: Write,
    ) -> None:
        self._lot = lot
        self._timeline = timeline
        self._clock = clock
        self._answer = answer
        self._write = write
        self._task: asyncio.Task[None] | None = None
        self._settled = False
        self.total = len(lot.rows)
        self.done = 0
        """Rows that were begun and have ended, well or badly."""
        self.counts: Counter[Kind] = Counter()
        self.input_tokens = 0
        self.output_tokens = 0
        self.reasoning_tokens = 0

    @property
    def expires(self) -> bool:
        """Whether there are rows that will never be begun."""
        return bool(self._lot.never)

    @property
    def queued_tokens(self) -> int:
        """What the lot weighs in its model's queue; nothing once it is over."""
        return 0 if self.over else self._lot.tokens

    @property
    def over(self) -> bool:
        """Whether the last line is written."""
        return self.phase() in {"ended", "cancelled"}

    def phase(self) -> Phase:
        """Tell where the batch stands, never ahead of what is really done."""
        phase = self._timeline.phase(self._clock())
        if phase in {"finalizing", "ended"} and self.done < len(self._lot.order):
            return "working"
        if phase == "ended" and not self._settled:
            return "finalizing"
        if phase == "cancelled" and not self._settled:
            return "cancelling"
        return phase

    async def catch_up(self) -> None:
        """Do what is due by now, or wait a moment for what is being done."""
        if self._settled:
            return
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        await asyncio.wait({self._task}, timeout=_PATIENCE_S)
        if self._task.done():
            self._task.result()

    async def _run(self) -> None:
        lot = self._lot
        while (due := self._due()) > self.done:
            for index in lot.order[self.done : min(due, self.done + _SLICE)]:
                self._end(lot.rows[index], self._answer(lot.rows[index]))
                self.done += 1
            await asyncio.sleep(0)
        if self._timeline.phase(self._clock()) not in {"ended", "cancelled"}:
            return
        kind: Kind = "expired" if self._timeline.cancelled is None else "canceled"
        for index in (*lot.order[self.done :], *lot.never):
            self._end(lot.rows[index], Outcome(kind=kind))
        self._settled = True
        lot.clear()

    def _due(self) -> int:
        return int(self._timeline.share(self._clock()) * len(self._lot.order))

    def _end(self, row: Row, outcome: Outcome) -> None:
        self.counts[outcome.kind] += 1
        self.input_tokens += outcome.input_tokens
        self.output_tokens += outcome.output_tokens
        self.reasoning_tokens += outcome.reasoning_tokens
        self._write(row, outcome)
