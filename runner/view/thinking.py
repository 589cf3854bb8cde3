"""What a model thinks before it speaks, on stderr: never on stdout, and in no record's text."""

from runner.events import DeltaReceived, Event, JobFinished, JobLeft, RetryScheduled
from runner.view.console import LiveText
from runner.view.terminal import dimmed
from runner.words import printable

_BEGIN, _END = "-- thinking", "-- answer"


class Thinking:
    """A sink that shows the thinking of one answer, in its place before the text.

    On one terminal with the text it appears as it arrives, dimmed if `dim`; elsewhere line by line.
    """

    def __init__(self, live: LiveText, *, dim: bool) -> None:
        self._live = live
        self._dim = dim
        self._thinks = False
        self._line = ""
        """What stands on the line that has not ended."""
        self._text_open = False
        """Whether text stands before, on a line that may not have ended."""

    def emit(self, event: Event) -> None:
        match event:
            case DeltaReceived(_, text, "reasoning"):
                self._begin()
                self._show(printable(text, keep="\n\t"))
            case DeltaReceived(_, text):
                self._end(_END)
                self._text_open = not text.endswith("\n")
            case RetryScheduled() | JobFinished() | JobLeft():
                self._end()
            case _:
                pass

    def _begin(self) -> None:
        if not self._thinks:
            self._thinks = True
            before = "\n" if self._text_open and self._live.together else ""
            self._show(f"{before}{_BEGIN}\n")

    def _end(self, mark: str = "") -> None:
        if not self._thinks:
            return
        self._thinks = False
        end = "\n" if self._line else ""
        if end or mark:
            self._show(f"{end}{mark}\n" if mark else end)

    def _show(self, text: str) -> None:
        if not text:
            return
        whole, newline, rest = (self._line + text).rpartition("\n")
        self._line = rest
        if self._live.together:
            self._live.aside(dimmed(text) if self._dim else text)
        elif newline:
            self._live.note(whole)
