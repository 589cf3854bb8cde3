"""The jobs of a run as the engine takes them: those of a checked file, or of a stream."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from runner.errors import LineProblem
from runner.input.check import Checked
from runner.input.parser import JobParser
from runner.input.reader import read_jobs
from runner.input.source import Source
from runner.models import Job
from runner.run.plan import Plan


async def one_job(job: Job) -> AsyncGenerator[Job | LineProblem, None]:
    """Give a single job."""
    yield job


async def planned_jobs(
    source: Source, parser: JobParser, checked: Checked, plan: Plan
) -> AsyncGenerator[Job | LineProblem, None]:
    """Give the invalid lines to record, then the jobs to ask, in the order of the file.

    Raises InputChangedError when the file is no longer the one that was checked.
    """
    for problem in plan.problems:
        yield problem
    jobs = read_jobs(
        source,
        parser,
        wanted=plan.wanted,
        suffixes=checked.suffixes,
        fingerprint=checked.fingerprint,
    )
    async with aclosing(jobs):
        async for item in jobs:
            if isinstance(item, Job):
                for one in plan.wanted_of(item):
                    yield one
            else:  # a file that it names was there when it was checked
                yield plan.repeats.problem(item)


async def streamed_jobs(
    source: Source, parser: JobParser, plan: Plan, limit: int | None
) -> AsyncGenerator[Job | LineProblem, None]:
    """Decide on each line as it comes; a recorded answer is never replaced unasked."""
    async with aclosing(read_jobs(source, parser)) as jobs:
        async for item in jobs:
            for one in plan.add(item) if isinstance(item, Job) else plan.add_problem(item):
                yield one
            if limit is not None and plan.ordinal >= limit:
                plan.fed = True
                return
    plan.fed = plan.whole = True
