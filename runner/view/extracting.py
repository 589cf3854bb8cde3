"""The first fenced block of an answer, shown as it arrives. Pure but for the sink behind it."""

import re

from runner.events import DeltaReceived, Event, JobFinished, JobQueued, RetryScheduled, Sink
from runner.models import Job

_OPENING = re.compile(r"([ \t]*)(?:(`{3,})[^`]*|(~{3,}).*)\r?")


class FirstBlock:
    """Takes an answer in pieces, cut anywhere, and gives what is inside its first fenced block.

    As in Markdown a fence is three or more backticks or tildes; the block ends with as many, and
    its lines lose the fence's own indentation (a block in a list).
    """

    def __init__(self) -> None:
        self.found = False
        """Whether a block has begun."""
        self._line = ""
        """The part of a line of which it is not yet known what it is."""
        self._indent = 0
        self._may_close = re.compile("")
        self._closing = re.compile("")
        self._inside = self._passing = self._over = False

    def feed(self, text: str) -> str:
        """Take a piece and give what of it belongs to the block."""
        given: list[str] = []
        while text and not self._over:
            head, newline, text = text.partition("\n")
            given.append(self._part(head + newline))
        return "".join(given)

    def end(self) -> str:
        """Give what was held back of a block that never ended."""
        held, self._line = self._line, ""
        if not self._inside or self._over or self._closing.fullmatch(held):
            return ""
        return self._dedented(held)

    def _part(self, part: str) -> str:
        """Take a piece of one line, or its end."""
        ends = part.endswith("\n")
        if self._passing:
            self._passing = not ends
            return part
        self._line += part
        if not self._inside:
            if ends:
                self._look(self._line[:-1])
                self._line = ""
            return ""
        if self._may_close.fullmatch(self._line.rstrip("\n")) and not ends:
            return ""
        line, self._line = self._line, ""
        if self._closing.fullmatch(line):
            self._over = True
            return ""
        self._passing = not ends
        return self._dedented(line)

    def _look(self, line: str) -> None:
        fence = _OPENING.fullmatch(line)
        if fence is None:
            return
        self.found = self._inside = True
        self._indent = len(fence[1])
        mark = fence[2] or fence[3]
        self._may_close = re.compile(rf"[ \t]*{mark[0]}*[ \t\r]*")
        self._closing = re.compile(rf"[ \t]*{mark[0]}{{{len(mark)},}}[ \t\r]*\n?")

    def _dedented(self, line: str) -> str:
        stripped = line.lstrip(" \t")
        return line[min(self._indent, len(line) - len(stripped)) :]


class Extracting:
    """A sink that lets only the block through to the next one; the whole text if there is none."""

    def __init__(self, shown: Sink) -> None:
        self._shown = shown
        self._block = FirstBlock()
        self._job: Job | None = None
        self._streamed = False

    def emit(self, event: Event) -> None:
        match event:
            case DeltaReceived(job, text, "text"):
                self._streamed = True
                self._show(job, self._block.feed(text))
                return
            case JobQueued(job):
                self._job = job
            case RetryScheduled():
                self._block, self._streamed = FirstBlock(), False
            case JobFinished(result) if self._job is not None:
                self._finish(self._job, result.text or "")
            case _:
                pass
        self._shown.emit(event)

    def _finish(self, job: Job, text: str) -> None:
        if not self._streamed:
            self._show(job, self._block.feed(text))
        # Said even if empty: an answer of which nothing was streamed would be shown whole.
        self._shown.emit(DeltaReceived(job, self._block.end() if self._block.found else text))

    def _show(self, job: Job, text: str) -> None:
        if text:
            self._shown.emit(DeltaReceived(job, text))
