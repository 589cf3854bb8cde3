"""The whole input held against a plan, before anything is sent."""

from collections.abc import Callable, Sequence
from typing import Protocol

from runner.errors import LineProblem, UsageError
from runner.input.check import Checked, check_file, count_lines
from runner.input.parser import JobParser
from runner.input.select import everything, limit, sample
from runner.input.source import Source
from runner.input.stretch import Stretch
from runner.models import Job
from runner.repeats import MOST_PLACES
from runner.run.money import Money
from runner.run.plan import Plan
from runner.settings import BatchSettings
from runner.view.texts_refusal import invalid_text


class Deciding(Protocol):
    """Decides which jobs of the input are asked: a `Plan`, or who looks on beside it."""

    def add(self, job: Job) -> Sequence[Job]:
        """Decide on the next job; give what is to be asked: it, or its repeats."""

    def add_stretch(self, stretch: Stretch) -> None:
        """Decide on the next jobs."""


def refuse_sample(settings: BatchSettings, source: Source) -> None:
    """Raise UsageError where the jobs cannot be counted first."""
    if settings.sample is not None and source.streamed:
        raise UsageError(f"--sample needs a file that can be counted first; {source.label} is not.")


def check_input(
    settings: BatchSettings,
    source: Source,
    parser: JobParser,
    plan: Plan,
    money: Money | None,
    deciding: Deciding,
) -> Checked:
    """Check every line, and let each job be decided on.

    Raises UsageError for a line that cannot be asked, unless such lines are recorded as failed.
    """
    plan.selects = _selection(settings, source, parser)
    recorded_as_failed = settings.skip_invalid or source.streamed

    def take(job: Job) -> None:
        asked = deciding.add(job)
        if money is not None:
            ids = {one.id for one in asked}
            for one in plan.repeats.jobs(job):
                money.take(one, asked=one.id in ids)

    def note(problem: LineProblem) -> None:
        if recorded_as_failed:
            plan.add_problem(problem)

    checked = check_file(
        source,
        parser,
        on_job=take,
        on_problem=note,
        # What jobs may cost, and whether they are out, is told of each alone.
        on_stretch=deciding.add_stretch if money is None and not plan.out.jobs else None,
    )
    if checked.invalid and not recorded_as_failed:
        total = checked.invalid + checked.jobs
        raise UsageError(invalid_text(checked.problems, checked.invalid, total))
    if plan.repeats.place(checked.lines, plan.repeats.times) > MOST_PLACES:
        raise UsageError(f"--repeat {plan.repeats.times}: these are more answers than can be kept.")
    return checked


def _selection(settings: BatchSettings, source: Source, parser: JobParser) -> Callable[[int], bool]:
    if settings.sample is not None:
        return sample(settings.sample, count_lines(source, parser))
    if settings.limit is not None:
        return limit(settings.limit)
    return everything
