"""What a batch does before the event loop: read what is recorded, check the whole input, plan.

A dry run goes the same way, so that it refuses what a batch refuses, and changes nothing on it.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from runner import __version__
from runner.clock import rfc3339
from runner.config import Config
from runner.engine.shard import uncounted
from runner.errors import UsageError
from runner.input.check import Checked
from runner.input.parser import JobParser, parser_of
from runner.input.source import Source
from runner.models import Job
from runner.pace.budget import Budget
from runner.pricing.book import PriceBook
from runner.repeats import Repeats
from runner.results.journal import Entry, unresolved
from runner.results.lock import holder
from runner.results.paths import ResultPaths
from runner.results.resume import RetryKinds
from runner.results.run_file import RunFile, describe_changes, read_run_file
from runner.results.scan import Scan, nothing, repair, scan
from runner.results.table import ResultTable
from runner.run.checked_input import Deciding, check_input, refuse_sample
from runner.run.flex import refuse_without_flex
from runner.run.money import budget_of, money_of
from runner.run.outstanding import outstanding, refuse_asking_twice
from runner.run.plan import Plan
from runner.run.prices import price_book
from runner.settings import BatchSettings
from runner.view.tally import Tally
from runner.view.texts_refusal import changed_text
from runner.view.tiers import FlexCounts


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A batch that may begin."""

    settings: BatchSettings
    config: Config
    source: Source
    parser: JobParser
    paths: ResultPaths | None
    """None where records go to stdout and nothing is kept."""
    scan: Scan | None
    """What the results file held at the start; None where nothing is kept."""
    plan: Plan
    checked: Checked | None
    """None where the input is a stream, which is checked as it comes."""
    run_id: str
    started: datetime
    book: PriceBook
    budget: Budget | None
    """What may still be spent; None where `--max-cost` was not given."""
    unresolved: Mapping[str, Entry]
    """What earlier runs had sent and nobody recorded."""
    killed_run: str
    """Which run left the plan's unknown jobs behind."""
    worst_case: Callable[[Job], int]
    """The most that one request for a job can cost, in picodollars; 0 without a budget."""

    @property
    def tally(self) -> Tally:
        """The counts of the run."""
        return self.plan.tally

    @property
    def nothing_to_do(self) -> bool:
        """Whether nothing has to be sent or recorded."""
        asked = self.plan.to_do or self.plan.problems or self.plan.out.chunks
        return self.checked is not None and not asked


def prepare(
    settings: BatchSettings,
    config: Config,
    source: Source,
    paths: ResultPaths | None,
    tally: Tally,
    *,
    run_id: str,
    started: datetime,
    kinds: RetryKinds | None = None,
    beside: Callable[[Plan], Deciding] = lambda plan: plan,
) -> Prepared:
    """Read what is recorded and check the input. The caller holds the lock, but for a dry run.

    `kinds` stands for `--retry`, where the caller knows better what to ask again. `beside` makes
    of the plan who decides with it and looks on.

    Raises UsageError where anything forbids the run; nothing was sent and nothing changed then,
    but for a torn last line that was set aside. A dry run changes nothing at all.
    """
    parser = parser_of(source, settings, config)
    kinds = kinds or (None if settings.retry is None else RetryKinds.parse(settings.retry))
    found = _recorded(settings, paths)
    table = ResultTable() if found is None else found.table
    out = outstanding(settings, config, source, paths)
    left = {} if paths is None else unresolved(paths.journal, table)
    unknown = _unknown(settings, paths, left)
    plan = Plan(table=table, unknown=unknown, kinds=kinds, tally=tally, out=out)
    plan.repeats = Repeats.of(settings.repeat)
    book = price_book(config)
    money = money_of(settings, book, paths, plan)
    refuse_sample(settings, source)
    checked = None
    if source.rereadable:
        checked = check_input(settings, source, parser, plan, money, beside(plan))
        # Whether a row of a batch is recorded is looked up when it comes in.
        plan.settle(ids=settings.lane == "batch")
    _begin_flex(settings, config, plan, streamed=checked is None)
    prepared = Prepared(
        settings=settings,
        config=config,
        source=source,
        parser=parser,
        paths=paths,
        scan=found,
        plan=plan,
        checked=checked,
        run_id=run_id,
        started=started,
        book=book,
        budget=budget_of(money, plan, streamed=checked is None),
        unresolved=left,
        killed_run=_killed_run(paths) if unknown else "",
        worst_case=uncounted if money is None else money.worst_case,
    )
    _tell(prepared)
    if paths is not None:
        _refuse(prepared, paths)
    return prepared


def _tell(prepared: Prepared) -> None:
    if prepared.checked is not None:
        prepared.tally.total = prepared.plan.selected
    money, budget = prepared.tally.money, prepared.budget
    money.run, money.limit = prepared.run_id, prepared.settings.max_cost
    money.counted = None if budget is None else budget.spent


def _unknown(
    settings: BatchSettings, paths: ResultPaths | None, left: Mapping[str, Entry]
) -> Mapping[str, str]:
    if paths is None or settings.fresh:
        return {}
    # Beside a run that works now, a dry run does not take for lost what is on its way.
    at_work = settings.dry_run and holder(paths) is not None
    return {} if at_work else {job_id: entry.at for job_id, entry in left.items()}


def _refuse(prepared: Prepared, paths: ResultPaths) -> None:
    """Raise UsageError where answers would be replaced, or paid twice, unasked."""
    plan, providers = prepared.plan, prepared.config.providers
    # What comes as a stream cannot be refused as a whole: there recorded answers just stay.
    if not prepared.source.streamed and plan.changed:
        raise UsageError(_refusal(prepared, paths))
    simulated = any(providers[provider].simulated for provider, _ in plan.models)
    refuse_asking_twice(prepared.settings, plan.out, paths, simulated=simulated)


def _begin_flex(settings: BatchSettings, config: Config, plan: Plan, *, streamed: bool) -> None:
    if settings.lane == "flex":
        refuse_without_flex(settings, config, None if streamed else plan.models, os.environ)
        plan.tally.flex = FlexCounts()


def run_file_of(prepared: Prepared) -> RunFile:
    """Say what is asked, for the file beside the results. Holds no key."""
    settings, ask = prepared.settings, prepared.settings.ask
    return RunFile(
        runner=__version__,
        run=prepared.run_id,
        started_at=rfc3339(prepared.started),
        command=list(settings.command),
        jobs=settings.jobs,
        model=ask.model,
        system=ask.system,
        template=ask.template,
        id_column=ask.id_column,
        repeat=settings.repeat,
        max_tokens=ask.max_tokens,
        defaults=dict(ask.defaults),
        overrides=dict(ask.overrides),
        schema=None if ask.schema is None else ask.schema.document,
    )


def _recorded(settings: BatchSettings, paths: ResultPaths | None) -> Scan | None:
    if paths is None:
        return None
    # With --fresh the old results are set aside at the start; until then they count for nothing.
    if settings.fresh:
        found = nothing()
    else:
        found = scan(paths.results) if settings.dry_run else repair(paths)
    found.repeats = Repeats.of(settings.repeat)
    return found


def _killed_run(paths: ResultPaths | None) -> str:
    last = None if paths is None else read_run_file(paths.run)
    return "unknown" if last is None else last.run


def _refusal(prepared: Prepared, paths: ResultPaths) -> str:
    now = run_file_of(prepared)
    return changed_text(
        shown=paths.shown,
        changed=prepared.plan.changed,
        what=describe_changes(read_run_file(paths.run), now),
        other_output=_other_output(prepared.settings, paths),
        old=str(Path(paths.shown).with_name(paths.old.name)),
    )


def _other_output(settings: BatchSettings, paths: ResultPaths) -> str:
    """Name a free results file after what is asked now, so that both can be compared."""
    shown = Path(paths.shown)
    model = settings.ask.overrides.get("model") or settings.ask.model or ""
    word = re.sub(r"[^A-Za-z0-9.-]+", "-", str(model).rsplit("/", 1)[-1]).strip("-.") or "other"
    stem = shown.name.removesuffix(".jsonl").removesuffix(".results")
    suffix = ".results.jsonl" if shown.name.endswith(".results.jsonl") else ".jsonl"
    number = 1
    while (path := shown.with_name(f"{stem}.{word}{suffix}")).exists():
        number += 1
        word = f"{word.removesuffix(f'-{number - 1}')}-{number}"
    return str(path)
