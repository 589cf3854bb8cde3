"""How far a run is, on stderr: a bar on a terminal, a plain line now and then elsewhere."""

import os
import sys
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

from anyio import sleep

from runner.clock import Clock
from runner.events import Event, JobFinished
from runner.view.layout import WIDTH
from runner.view.pace_text import Rate, facts, fitted
from runner.view.tally import Tally
from runner.view.terminal import note, pen_for
from runner.view.texts_batches import Standing, lane_facts

_REDRAW_S = 0.1
_LOOK_S = 0.5
"""How often the bar is redrawn while nothing happens."""
PLAIN_S = 30.0
"""How often a plain line is written where there is no terminal."""
_BAR = 10


class Progress:
    """A sink that shows the tally it is given, which must hear of every event before it.

    Use it as a context manager, and let a task run `run_ticker`. With `quiet` it shows nothing, but
    `write` still writes. Nothing here waits for a terminal that is stopped.
    """

    def __init__(
        self,
        tally: Tally,
        clock: Clock,
        *,
        quiet: bool = False,
        pace: Callable[[], str | None] = lambda: None,
        stream: TextIO | None = None,
    ) -> None:
        """Create the sink. `pace` says what holds the pace just now, such as `-c`."""
        self.pace = pace
        self.standing: Callable[[], Standing] | None = None
        """How the batches are, in the batch lane."""
        self._tally = tally
        self._clock = clock
        self._quiet = quiet
        self._stream = sys.stderr if stream is None else stream
        self._terminal = self._stream.isatty()
        self._rate = Rate()
        self._pen = pen_for(self._stream) if self._terminal and not quiet else None
        """Draws the bar; None where there is none."""
        self._drawn = 0.0

    def __enter__(self) -> "Progress":
        now = self._clock.monotonic()
        self._rate.note(now, self._tally.finished)
        self._draw(now)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pen is not None:
            self._pen.draw("")
            self._pen = None

    def emit(self, event: Event) -> None:
        if self._pen is None:
            return
        now = self._clock.monotonic()
        if isinstance(event, JobFinished):
            self._rate.note(now, self._tally.finished)
        if now - self._drawn >= _REDRAW_S:
            self._draw(now)

    def write(self, line: str, *, minor: bool = False) -> None:
        """Write a line above the bar; a minor one may be dropped where nobody reads."""
        note(line, minor=minor, stream=self._stream)

    async def run_ticker(self) -> None:
        """Keep what is shown up to date until cancelled."""
        while not self._quiet:
            await sleep(_LOOK_S if self._terminal else PLAIN_S)
            self.tick()

    def tick(self) -> None:
        """Redraw the bar, or write one plain line."""
        now = self._clock.monotonic()
        self._rate.note(now, self._tally.finished)
        self._draw(now)
        if not self._quiet and not self._terminal:
            at = self._clock.now().strftime("%H:%M:%SZ")
            self.write(f"{at} {', '.join(self._facts(now))}", minor=True)

    def _facts(self, now: float) -> list[str]:
        if self.standing is not None:
            tally = self._tally
            return lane_facts(tally.finished, tally.failed, tally.total, self.standing())
        rate = self._rate.per_second(now, self._tally.finished)
        return facts(self._tally, rate, self.pace())

    def _draw(self, now: float) -> None:
        if self._pen is None:
            return
        self._drawn = now
        # One column stays free: a full line makes some terminals wrap.
        width = _columns(self._stream) - 1
        taken = 0 if self._tally.total is None else len("100% ") + _BAR + 2
        words = fitted(self._facts(now), width - taken)
        ahead = 0 if self.standing is None else self.standing().done
        ascii_only = not _shows_blocks(self._stream)
        self._pen.draw(_bar(self._tally, ahead, words, width, ascii_only=ascii_only))


def _bar(tally: Tally, ahead: int, words: str, width: int, *, ascii_only: bool) -> str:
    from tqdm import tqdm

    # Its looks alone: a bar that writes itself would wait for a terminal that is stopped.
    shape = "{desc}" if tally.total is None else f"{{percentage:3.0f}}% {{bar:{_BAR}}}  {{desc}}"
    return tqdm.format_meter(
        tally.finished + ahead,
        tally.total or 0,
        0.0,
        ncols=max(width, 1),
        prefix=words,
        ascii=ascii_only,
        bar_format=shape,
    )


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or WIDTH
    except (OSError, ValueError):
        return WIDTH


def _shows_blocks(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("-", "") == "utf8"
