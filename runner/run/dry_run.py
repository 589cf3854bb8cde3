"""`runner batch --dry-run`: what would be sent and what it will take, beside what is done already.

Sends nothing, changes no file, takes no lock and needs no key. The file of results may be being
written meanwhile.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from random import SystemRandom

from runner.checking.checkup import rereadable
from runner.checking.estimating import Estimating, Outlook
from runner.checking.wording import longest_of, repeats_text, request_lines
from runner.clock import SystemClock
from runner.config import Config
from runner.errors import ExitCode
from runner.input.select import runs
from runner.input.source import open_source
from runner.input.stretch import Stretch
from runner.models import Job
from runner.results.lock import holder
from runner.results.run_file import new_run_id
from runner.run.open_files import within_system
from runner.run.outstanding import refuse_lane
from runner.run.plan import Plan
from runner.run.preparing import Prepared, prepare
from runner.run.prices import price_book
from runner.run.results_place import results_place
from runner.run.starting import start_of
from runner.settings import BatchSettings
from runner.view.layout import wrap
from runner.view.tally import Tally
from runner.view.terminal import say
from runner.view.texts_end import nothing_to_send_text
from runner.view.texts_estimate import estimate_text, limit_text
from runner.view.texts_start import start_text
from runner.view.texts_table import Names
from runner.words import plural, printable

_NOTHING_SENT = "Nothing was sent: this was a dry run."


def dry_run(settings: BatchSettings, config: Config) -> ExitCode:
    """Say what a batch would send. Raises UsageError wherever it would not be begun.

    Lines of a stream that cannot be asked are counted, as a batch would record them as failed.
    """
    settings = replace(within_system(settings), dry_run=True)
    source = open_source(settings.jobs)
    refuse_lane(settings, source)
    paths = results_place(settings, source)
    # Also with --fresh: an answer to the same question tells what the next one takes.
    known = None if paths is None else paths.results
    onlooker = _Onlooker(Estimating(settings, config, price_book(config), known))
    started = SystemClock().now()
    with rereadable(source) as copy:
        prepared = prepare(
            settings,
            config,
            copy,
            paths,
            Tally(),
            run_id=new_run_id(started, SystemRandom().getrandbits),
            started=started,
            beside=onlooker.beside,
        )
    if not settings.quiet:
        say(_text(prepared, onlooker))
    return ExitCode.OK


class _Onlooker:
    """Lets a plan decide on every job, and estimates those that would be asked."""

    def __init__(self, estimating: Estimating) -> None:
        self._estimating = estimating
        self.first: Job | None = None
        """The first job that would be asked."""

    def beside(self, plan: Plan) -> "_Onlooker":
        """Look on beside this plan."""
        self._plan = plan
        return self

    def outlook(self) -> Outlook:
        """Say what the jobs that would be asked will take."""
        return self._estimating.outlook(os.environ)

    def add(self, job: Job) -> Sequence[Job]:
        self._estimating.look(job)
        asked = self._plan.add(job)
        for one in asked:
            self.first = self.first or one
            self._estimating.take(one)
        return asked

    def add_stretch(self, stretch: Stretch) -> None:
        self._estimating.look_through(stretch)
        before = self._plan.to_do
        self._plan.add_stretch(stretch)
        asked = self._plan.to_do - before
        if self._plan.repeats.named:
            self._take_repeats(stretch)
            return
        lines = range(stretch.first, stretch.first + len(stretch))
        wanted = [asked == len(stretch) or self._plan.wanted(line) for line in lines]
        for start, end in runs(wanted):
            part = stretch.part(start, end)
            self.first = self.first or part.job(0)
            self._estimating.take_stretch(part)

    def _take_repeats(self, stretch: Stretch) -> None:
        for at in range(len(stretch)):
            for one in self._plan.wanted_of(stretch.job(at)):
                self.first = self.first or one
                self._estimating.take_stretch(stretch.part(at, at + 1))


def _text(prepared: Prepared, onlooker: _Onlooker) -> str:
    plan, paths = prepared.plan, prepared.paths
    shown = None if paths is None else paths.shown
    if prepared.nothing_to_do:
        names = Names(jobs=prepared.source.label, results=shown, command=prepared.settings.command)
        return nothing_to_send_text(prepared.tally, names)
    lines = [start_text(start_of(prepared))]
    if paths is not None and (at_work := holder(paths)) is not None:
        lines.append(wrap(f"Another run works on these results ({at_work}); it may go on."))
    if plan.out.awaited:
        lines.append(wrap(f"{plural(plan.out.awaited, 'job')} of these are out in batches."))
    if prepared.settings.fresh and paths is not None and paths.results.exists():
        lines.append(wrap(f"--fresh would set {printable(paths.shown)} aside."))
    if prepared.checked is not None and prepared.checked.repeats:
        lines.append(wrap(f"In the file {repeats_text(prepared.checked)}."))
    if plan.problems:
        lines.append(wrap(f"{plural(len(plan.problems), 'line')} would be recorded as failed."))
    if onlooker.first is not None:
        lines += request_lines(onlooker.first)
        lines += ["", f"For the {plural(plan.to_do, 'job')} that would be sent:"]
        lines += _estimate_lines(prepared, onlooker.outlook())
    return "\n".join([*lines, _NOTHING_SENT])


def _estimate_lines(prepared: Prepared, outlook: Outlook) -> list[str]:
    lines = estimate_text(outlook.models, outlook.whole, longest_of(outlook))
    limit, budget = prepared.settings.max_cost, prepared.budget
    if limit is not None and budget is not None:
        lines += limit_text(outlook.whole, limit, budget.spent)
    return lines
