"""What recorded answers tell of the jobs: a sample of a results file, held against their lines."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from runner.checking.gather import Group, alone
from runner.config import ModelRef
from runner.input.stretch import Stretch
from runner.models import Job, Usage
from runner.pricing.book import PriceBook

_WHOLE_BYTES = 16 << 20
"""A file up to this size is read whole; of a longer one some blocks, evenly spread."""
_BLOCKS, _BLOCK_BYTES = 64, 256 << 10
_KEPT = 4_000


class _Answer(msgspec.Struct, gc=False):
    """As much of a record as tells what its answer took."""

    id: str
    digest: str | None = None
    status: str = ""
    line: int | None = None
    usage: Usage | None = None


_decode = msgspec.json.Decoder(_Answer).decode


@dataclass(slots=True)
class Learnt:
    """What the recorded answers to jobs of one model took."""

    answers: int = 0
    output_tokens: int = 0
    seen: list[tuple[Group, int]] = field(default_factory=list)
    """Requests and the tokens of their input."""

    @property
    def mean(self) -> float | None:
        """The mean tokens of an answer; None without any."""
        return self.output_tokens / self.answers if self.answers else None


class Recorded:
    """Holds a sample of answers against the jobs that they belong to."""

    def __init__(self, book: PriceBook, results: Path | None) -> None:
        """Read the sample; a file that is missing or cannot be read tells nothing."""
        self._book = book
        self._answers = {} if results is None else _sample(results)
        self._lines = sorted(self._answers, reverse=True)
        self.learnt: dict[ModelRef, Learnt] = {}

    def look(self, job: Job) -> None:
        """Learn from the answer to a job, if there is one to the same question."""
        answer = self._answers.get(job.line or 0)
        if answer is None or answer.id != job.id or answer.digest != job.digest:
            return
        usage = answer.usage
        if usage is None or usage.output_tokens is None:
            return
        learnt = self.learnt.setdefault(ModelRef(job.provider, job.model), Learnt())
        learnt.answers += 1
        learnt.output_tokens += usage.output_tokens
        if usage.input_tokens:
            learnt.seen.append((alone(self._book, job), usage.input_tokens))

    def look_through(self, stretch: Stretch) -> None:
        """Learn from the answers to some jobs. Lines come in order."""
        lines, end = self._lines, stretch.first + len(stretch)
        while lines and lines[-1] < end:
            line = lines.pop()
            if line >= stretch.first:
                self.look(stretch.job(line - stretch.first))


def _sample(path: Path) -> dict[int, _Answer]:
    found: dict[int, _Answer] = {}
    try:
        lines = list(_lines(path))
    except OSError:
        return {}
    step = max(1, len(lines) // _KEPT)
    for line in lines[::step]:
        try:
            answer = _decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        counted = answer.usage is not None and answer.usage.complete
        if answer.status == "succeeded" and counted and answer.line is not None:
            found[answer.line] = answer
    return found


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size <= _WHOLE_BYTES:
            yield from file
            return
        for number in range(_BLOCKS):
            start = number * (size - _BLOCK_BYTES) // (_BLOCKS - 1)
            file.seek(start)
            whole = file.read(_BLOCK_BYTES).split(b"\n")
            # The first and the last are parts of lines, but for the file's own beginning.
            yield from whole[bool(start) : -1]
