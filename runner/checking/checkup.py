"""`runner check`: a whole file validated, and what its jobs will take.

Sends nothing, changes nothing and imports no SDK.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from runner.checking.estimating import Estimating, Outlook
from runner.config import Config
from runner.errors import UsageError
from runner.input.check import Checked, check_file, count_lines
from runner.input.parser import JobParser, parser_of
from runner.input.select import chosen, everything, limit, runs, sample
from runner.input.source import Source, open_source
from runner.input.stretch import Stretch
from runner.models import Job
from runner.pricing.book import PriceBook
from runner.repeats import Repeats
from runner.results.paths import default_output
from runner.results.resume import RetryKinds
from runner.settings import BatchSettings
from runner.view.texts_refusal import invalid_text


@dataclass(kw_only=True)
class Checkup:
    """What a file holds, and what its selected jobs would ask."""

    label: str
    checked: Checked
    noun: str
    """What a line is: `job`, or `row` where there is a template."""
    selected: int = 0
    repeat: int | None = None
    """How often each is to be asked; None where that was not said."""
    models: Counter[tuple[str, str]]
    """How often selected jobs ask which provider and model."""
    first: Job | None = None
    """The first selected job."""
    outlook: Outlook
    """What the selected jobs will take."""
    max_cost: int | None = None
    """What may be spent, in picodollars; None without a limit."""

    def refusal(self) -> UsageError:
        """The error that names the invalid lines."""
        checked = self.checked
        return UsageError(
            invalid_text(checked.problems, checked.invalid, checked.jobs + checked.invalid)
        )


def check_jobs(settings: BatchSettings, config: Config, book: PriceBook) -> Checkup:
    """Validate every line; raises UsageError where the file as a whole cannot be read."""
    if settings.retry is not None:
        RetryKinds.parse(settings.retry)
    with rereadable(open_source(settings.jobs)) as source:
        parser = parser_of(source, settings, config)
        estimating = Estimating(settings, config, book, _results(settings))
        repeats = Repeats.of(settings.repeat)
        looking = _Looking(selection(settings, source, parser), estimating, repeats.times)
        checked = check_file(
            source,
            parser,
            on_job=looking.take,
            on_problem=looking.skip,
            on_stretch=looking.take_stretch,
        )
    return Checkup(
        label=source.label,
        checked=checked,
        noun="job" if settings.ask.template is None else "row",
        selected=looking.selected,
        repeat=settings.repeat,
        models=looking.models,
        first=looking.first and repeats.jobs(looking.first)[0],
        outlook=estimating.outlook(os.environ),
        max_cost=settings.max_cost,
    )


def selection(settings: BatchSettings, source: Source, parser: JobParser) -> Callable[[int], bool]:
    """Say which jobs are meant, by their ordinals."""
    if settings.sample is not None:
        return sample(settings.sample, count_lines(source, parser))
    return everything if settings.limit is None else limit(settings.limit)


def _results(settings: BatchSettings) -> Path | None:
    """Name the file that may hold answers to these jobs."""
    if settings.stdout:
        return None
    return settings.output or default_output(settings.jobs)


class _Looking:
    """Counts the jobs that are meant."""

    def __init__(self, selects: Callable[[int], bool], estimating: Estimating, times: int) -> None:
        self._selects = selects
        self._times = times
        self.selected = 0
        self._estimating = estimating
        self._ordinal = 0
        self.models: Counter[tuple[str, str]] = Counter()
        self.first: Job | None = None

    def take(self, job: Job) -> None:
        self._estimating.look(job)
        if self._selects(self._ordinal):
            self.selected += 1
            self.models[job.provider, job.model] += self._times
            self.first = self.first or job
            for _ in range(self._times):
                self._estimating.take(job)
        self._ordinal += 1

    def take_stretch(self, stretch: Stretch) -> None:
        self._estimating.look_through(stretch)
        for start, end in runs(chosen(self._selects, self._ordinal, len(stretch))):
            part = stretch.part(start, end)
            self.selected += len(part)
            self.first = self.first or part.job(0)
            for _ in range(self._times):
                self.models.update(part.models)
                self._estimating.take_stretch(part)
        self._ordinal += len(stretch)

    def skip(self, _problem: object) -> None:
        self._ordinal += 1


@contextmanager
def rereadable(source: Source) -> Iterator[Source]:
    """Give what can be read twice: the file itself, or a copy of what comes through a pipe.

    The copy is a temporary file, gone when the block ends. Raises UsageError where there is no
    room for it.
    """
    if source.rereadable:
        yield source
        return
    with tempfile.NamedTemporaryFile(prefix="runner-check-") as copy:
        try:
            _copy(source, copy)
        except OSError as error:
            raise UsageError(
                f"{source.label} cannot be copied to {copy.name}: {error.strerror}.\n"
                "Save it to a file, and name that one."
            ) from error
        yield replace(source, path=Path(copy.name), rereadable=True, copied=True)


def _copy(source: Source, copy: IO[bytes]) -> None:
    descriptor = source.descriptor()
    opened = source.name if descriptor is None else os.dup(descriptor)
    with open(opened, "rb") as stream:  # noqa: PTH123 - a descriptor has no path
        while block := stream.read(1 << 20):
            copy.write(block)
    copy.flush()
