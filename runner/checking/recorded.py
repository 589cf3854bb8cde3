"""What recorded answers tell of the jobs: a sample of a results file, held against their lines."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

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


class _Attempt(msgspec.Struct, gc=False):
    """How long a request took."""

    duration_s: float | None = None


class _Answer(msgspec.Struct, gc=False):
    """As much of a record as tells what its answer took."""

    id: str
    digest: str | None = None
    status: str = ""
    line: int | None = None
    usage: Usage | None = None
    attempts: list[_Attempt] = []


_decode = msgspec.json.Decoder(_Answer).decode


@dataclass(slots=True)
class Learnt:
    """What the recorded answers to jobs of one model took."""

    answers: int = 0
    output_tokens: int = 0
    timed: int = 0
    seconds: float = 0.0
    """How long the last requests of so many answers took together."""
    seen: list[tuple[Group, int]] = field(default_factory=list)
    """Requests and the tokens of their input."""

    @property
    def mean(self) -> float | None:
        """The mean tokens of an answer; None without any."""
        return self.output_tokens / self.answers if self.answers else None

    @property
    def mean_s(self) -> float | None:
        """The mean time that a request is out; None without any."""
        return self.seconds / self.timed if self.timed else None


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
        if answer.attempts and (took := answer.attempts[-1].duration_s) is not None:
            learnt.timed += 1
            learnt.seconds += took
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
    found: list[_Answer] = []
    if not path.is_file():
        return {}  # to open a pipe would wait for whoever writes to it
    try:
        with path.open("rb") as file:
            for line in _lines(file):
                answer = _answer(line)
                if answer is not None:
                    found.append(answer)
    except OSError:
        return {}
    return {answer.line or 0: answer for answer in found[:: len(found) // _KEPT + 1]}


def _answer(line: bytes) -> _Answer | None:
    """Read a record; None where it holds no whole answer, or no count of it."""
    try:
        answer = _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    counted = answer.usage is not None and answer.usage.complete
    return answer if answer.status == "succeeded" and counted else None


def _lines(file: BinaryIO) -> Iterator[bytes]:
    size = os.fstat(file.fileno()).st_size
    if size <= _WHOLE_BYTES:
        yield from file
        return
    for number in range(_BLOCKS):
        start = number * (size - _BLOCK_BYTES) // (_BLOCKS - 1)
        file.seek(start)
        if start:
            file.readline()  # the rest of a line
        # However long it is, one line is read whole.
        yield from file.readlines(_BLOCK_BYTES)
