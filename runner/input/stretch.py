"""Usual jobs on lines that follow each other, taken in at once."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from msgspec import UNSET, UnsetType

from runner.config import ModelRef
from runner.input.digest import bytes_id, canonical
from runner.input.ids import are_ids, id_text
from runner.input.lines import Cut
from runner.input.parser import JobParser, Question
from runner.input.plain import FullJob, PlainJob, names_cap, plain_jobs
from runner.input.problems import BadLineError
from runner.input.select import runs
from runner.models import Job


@dataclass
class Stretch:
    """Jobs of which none repeats an earlier line."""

    parser: JobParser
    first: int
    """The line of the first of them; the others follow."""
    raws: Sequence[bytes]
    jobs: Sequence[PlainJob]
    ids: Sequence[str | UnsetType]
    """As they are given."""

    def __len__(self) -> int:
        return len(self.jobs)

    def part(self, start: int, end: int) -> "Stretch":
        """Give some of the jobs."""
        if (start, end) == (0, len(self)):
            return self
        piece = slice(start, end)
        return Stretch(
            self.parser, self.first + start, self.raws[piece], self.jobs[piece], self.ids[piece]
        )

    @cached_property
    def models(self) -> Counter[ModelRef]:
        """How many jobs go where."""
        refs = self.parser.models
        names = {job.model for job in self.jobs}
        if len(names) == 1:
            return Counter({refs[names.pop()]: len(self)})
        return Counter([refs[job.model] for job in self.jobs])

    @property
    def uncapped(self) -> int:
        """How many jobs name no longest answer and are given none by an option."""
        if self.parser.caps_all:
            return 0
        full = [job for job in self.jobs if type(job) is FullJob]
        return len(self) - sum(map(names_cap, full))

    def id(self, at: int) -> str:
        """Give the id of a job."""
        given = self.ids[at]
        return bytes_id(canonical(self.jobs[at])) if isinstance(given, UnsetType) else given

    def question(self, at: int) -> Question:
        """Give what a job asks."""
        return self.parser.question(self.jobs[at])

    def job(self, at: int) -> Job:
        """Give a job whole; this costs as much as to read its line alone."""
        return self.parser.parse(self.raws[at], self.first + at)


def stretches(parser: JobParser, cut: Cut) -> Iterator[Stretch]:
    """Give the usual jobs among some lines; what stands between them has to be read alone."""
    if parser.takes_rows:
        return
    jobs = plain_jobs(cut.lines)
    _leave_out_models(jobs, parser)
    ids = _ids(jobs)
    for start, end in runs([one is not None for one in ids]):
        yield Stretch(
            parser,
            cut.first + start,
            cast("list[bytes]", cut.lines[start:end]),
            cast("list[PlainJob]", jobs[start:end]),
            cast("list[str | UnsetType]", ids[start:end]),
        )


def _leave_out_models(jobs: list[PlainJob | None], parser: JobParser) -> None:
    """Leave out jobs for which nobody can say where they go."""
    named = {job.model for job in jobs if job is not None}
    unknown = {name for name in named if name not in parser.models and not parser.learn(name)}
    if unknown:
        jobs[:] = [None if job is None or job.model in unknown else job for job in jobs]


def _ids(jobs: list[PlainJob | None]) -> list[str | UnsetType | None]:
    """Give the jobs' ids as texts; None where there is no job or its id cannot be."""
    given = [None if job is None else job.id for job in jobs]
    kinds = set(map(type, given))
    if kinds == {UnsetType} or (kinds == {str} and are_ids(given)):
        return given
    return [_id(value) for value in given]


def _id(value: Any) -> str | UnsetType | None:
    try:
        return UNSET if value is UNSET else id_text(value, "id")
    except BadLineError:
        return None
