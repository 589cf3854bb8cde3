"""Which text is shown when: the front answer live, the others gathered behind it. No I/O here."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from runner.models import Result
from runner.words import printable


class Piece(NamedTuple):
    """Something to write now."""

    text: str
    note: bool = False
    """True for a line about an answer, which goes to stderr."""


@dataclass(slots=True)
class _Answer:
    name: str
    gathered: list[str] = field(default_factory=list)
    """Deltas that wait until the answers before are complete."""
    streamed: bool = False
    shown: bool = False
    at_line_start: bool = True
    ended: bool = False
    result: Result | None = None


class Gathering:
    """Turns what happens to jobs into pieces, in the order in which jobs are queued.

    `many`: answers follow each other, so each ends its line. `terminal`: a person reads, so
    control sequences are shown instead of obeyed, and of many each is headed by its id.
    """

    def __init__(self, *, many: bool, terminal: bool) -> None:
        self._many = many
        self._terminal = terminal
        self._answers: dict[str, _Answer] = {}
        """Jobs that were queued and are not yet shown to their end; the first is the front."""

    def shown(self, name: str) -> bool:
        """Whether any text of a job that has not ended was handed out."""
        answer = self._answers.get(name)
        return answer is not None and answer.shown

    def queued(self, name: str) -> None:
        """Give a job its place."""
        self._answers.setdefault(name, _Answer(name))

    def delta(self, name: str, text: str) -> Iterator[Piece]:
        """Take a piece of text; it comes out at once if its job is the front."""
        self.queued(name)
        answer = self._answers[name]
        answer.streamed = True
        if answer is next(iter(self._answers.values())):
            yield from self._show(answer, text)
        else:
            answer.gathered.append(text)

    def retried(self, name: str) -> None:
        """Forget what was gathered of a job that starts again."""
        if answer := self._answers.get(name):
            answer.gathered.clear()
            answer.streamed = answer.shown

    def ended(self, name: str, result: Result | None) -> Iterator[Piece]:
        """End a job, with its result or without a record, and move the front on."""
        self.queued(name)
        self._answers[name].result = result
        self._answers[name].ended = True
        while self._answers and (front := next(iter(self._answers.values()))).ended:
            yield from self._finish(front)
            del self._answers[front.name]
            if self._answers:
                yield from self._catch_up(next(iter(self._answers.values())))

    def refused(self, result: Result) -> Iterator[Piece]:
        """Note a line that is no job, in its own place: its id may be another job's."""
        yield from self.ended(f"\0{result.line}", result)

    def _catch_up(self, answer: _Answer) -> Iterator[Piece]:
        text = "".join(answer.gathered)
        answer.gathered.clear()
        yield from self._show(answer, text)

    def _finish(self, answer: _Answer) -> Iterator[Piece]:
        result = answer.result
        if result is not None and not answer.streamed and result.text:
            yield from self._show(answer, result.text)
        if not answer.at_line_start and (self._many or self._terminal):
            yield Piece("\n")
        if self._many and result is not None and (note := _note(result)):
            yield Piece(note, note=True)

    def _show(self, answer: _Answer, text: str) -> Iterator[Piece]:
        if not text:
            return
        if self._many and self._terminal and not answer.shown:
            yield Piece(f"-- {printable(answer.name)} --\n")
        answer.shown = True
        answer.at_line_start = text.endswith("\n")
        yield Piece(printable(text, keep="\n\t") if self._terminal else text)


def _note(result: Result) -> str:
    name = printable(result.id)
    if result.interruption is not None:
        return f"{name}: broken off: {printable(result.interruption.message)}\n"
    if result.error is not None:
        return f"{name}: not answered: {printable(result.error.message)}\n"
    return ""
