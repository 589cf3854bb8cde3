"""`runner batch --dry-run`: what would be sent and what it will take, beside what is done already.

Sends nothing, changes no file, takes no lock and needs no key. The file of results may be being
written meanwhile.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from random import SystemRandom

from runner.checking.checkup import rereadable, selection
from runner.checking.estimating import Estimating, Outlook
from runner.checking.wording import request_lines
from runner.clock import SystemClock
from runner.config import Config
from runner.engine.shard import uncounted
from runner.errors import ExitCode, LineProblem, UsageError
from runner.input.check import Checked, check_file
from runner.input.parser import JobParser
from runner.input.select import runs
from runner.input.source import Source, open_source
from runner.input.stretch import Stretch
from runner.lanes.out import Out
from runner.models import Job
from runner.results.journal import unresolved
from runner.results.owner import refuse_foreign, refuse_summary
from runner.results.paths import ResultPaths, paths_for
from runner.results.resume import RetryKinds
from runner.results.run_file import new_run_id
from runner.results.scan import nothing, scan
from runner.run.batch import _output
from runner.run.flex import refuse_without_flex
from runner.run.money import Money
from runner.run.outstanding import refuse_lane, still_out
from runner.run.plan import Plan
from runner.run.preparing import Prepared, _budget, _money, _refuse
from runner.run.prices import price_book
from runner.run.starting import start_of
from runner.settings import BatchSettings
from runner.view.layout import wrap
from runner.view.tally import Tally
from runner.view.terminal import say
from runner.view.texts_end import nothing_to_send_text
from runner.view.texts_estimate import estimate_text
from runner.view.texts_refusal import invalid_text
from runner.view.texts_start import start_text
from runner.view.texts_table import Names
from runner.words import plural

_NOTHING_SENT = "Nothing was sent: this was a dry run."


def dry_run(settings: BatchSettings, config: Config) -> ExitCode:
    """Say what a batch would send. Raises UsageError wherever it would not be begun."""
    refuse_lane(settings)
    source = open_source(settings.jobs)
    paths = None if settings.stdout else paths_for(_output(settings, source))
    refuse_summary(settings.summary_json, paths, source.path)
    if paths is not None:
        refuse_foreign(paths, source.path)
    with rereadable(source) as copy:
        found = _look(settings, config, copy, paths)
    if not settings.quiet:
        say(_text(found))
    return ExitCode.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What would be sent."""

    prepared: Prepared
    outlook: Outlook
    first: Job | None


def _look(
    settings: BatchSettings, config: Config, source: Source, paths: ResultPaths | None
) -> _Found:
    """Read what is recorded and the whole input, and refuse what a batch refuses."""
    parser = JobParser(settings.ask, config, source.label, max_line_bytes=settings.max_line_bytes)
    book = price_book(config)
    plan = _plan(settings, config, paths)
    money = _money(settings, book, paths, plan)
    kept = None if paths is None or settings.fresh else paths.results
    estimating = Estimating(settings, config, book, kept)
    planning = _Planning(plan, estimating, money)
    plan.selects = selection(settings, source, parser)
    checked = planning.check(settings, source, parser)
    plan.fed = plan.whole = True
    plan.tally.total = plan.selected
    if settings.lane == "flex":
        refuse_without_flex(settings, config, plan.models, os.environ)
    started = SystemClock().now()
    prepared = Prepared(
        settings=settings,
        config=config,
        source=source,
        parser=parser,
        paths=paths,
        scan=None,
        plan=plan,
        checked=checked,
        run_id=new_run_id(started, SystemRandom().getrandbits),
        started=started,
        book=book,
        budget=_budget(money, plan, streamed=False),
        killed_run="",
        worst_case=uncounted,
    )
    if paths is not None:
        _refuse(prepared, paths)
    outlook = estimating.outlook(os.environ)
    return _Found(prepared=prepared, outlook=outlook, first=planning.first)


def _plan(settings: BatchSettings, config: Config, paths: ResultPaths | None) -> Plan:
    found = nothing() if paths is None or settings.fresh else scan(paths.results)
    unknown: Mapping[str, str] = {}
    out = Out()
    if paths is not None and not settings.fresh:
        unknown = unresolved(paths.journal, found.table)
    if paths is not None:
        out = still_out(settings, config, paths)
    kinds = None if settings.retry is None else RetryKinds.parse(settings.retry)
    return Plan(table=found.table, unknown=unknown, kinds=kinds, tally=Tally(), out=out)


class _Planning:
    """Decides on every job, and estimates those that would be asked."""

    def __init__(self, plan: Plan, estimating: Estimating, money: Money | None) -> None:
        self._plan, self._estimating, self._money = plan, estimating, money
        self.first: Job | None = None
        """The first job that would be asked."""

    def check(self, settings: BatchSettings, source: Source, parser: JobParser) -> Checked:
        """Read the whole file. Raises UsageError for lines that cannot be asked."""
        checked = check_file(
            source,
            parser,
            on_job=self._take,
            on_problem=self._note if settings.skip_invalid else lambda _problem: None,
            on_stretch=self._take_stretch if self._money is None else None,
        )
        if checked.invalid and not settings.skip_invalid:
            total = checked.invalid + checked.jobs
            raise UsageError(invalid_text(checked.problems, checked.invalid, total))
        return checked

    def _take(self, job: Job) -> None:
        self._estimating.look(job)
        asked = self._plan.add(job)
        if self._money is not None:
            self._money.take(job, asked=asked)
        if asked:
            self.first = self.first or job
            self._estimating.take(job)

    def _take_stretch(self, stretch: Stretch) -> None:
        self._estimating.look_through(stretch)
        before = self._plan.to_do
        self._plan.add_stretch(stretch)
        asked = self._plan.to_do - before
        lines = range(stretch.first, stretch.first + len(stretch))
        wanted = [asked == len(stretch) or self._plan.wanted(line) for line in lines]
        for start, end in runs(wanted):
            part = stretch.part(start, end)
            self.first = self.first or part.job(0)
            self._estimating.take_stretch(part)

    def _note(self, problem: LineProblem) -> None:
        self._plan.add_problem(problem)


def _text(found: _Found) -> str:
    prepared, plan = found.prepared, found.prepared.plan
    if prepared.nothing_to_do:
        results = None if prepared.paths is None else prepared.paths.shown
        names = Names(
            jobs=prepared.source.label, results=results, command=prepared.settings.command
        )
        return nothing_to_send_text(prepared.tally, names)
    lines = [start_text(start_of(prepared))]
    if plan.out.awaited:
        lines.append(wrap(f"{plural(plan.out.awaited, 'job')} of these are out in batches."))
    if plan.problems:
        lines.append(wrap(f"{plural(len(plan.problems), 'line')} would be recorded as failed."))
    if found.first is not None:
        longest = [(long.line, long.characters) for long in found.outlook.longest]
        lines += request_lines(found.first)
        lines += ["", f"For the {plural(plan.to_do, 'job')} that would be sent:"]
        lines += estimate_text(found.outlook.models, found.outlook.whole, longest)
    return "\n".join([*lines, _NOTHING_SENT])
