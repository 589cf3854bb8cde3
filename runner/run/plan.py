"""What a run has to do: every job of the input held against what the results file holds."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from runner.config import ModelRef
from runner.errors import LineProblem
from runner.input.draft import caps
from runner.input.lineset import LineSet
from runner.input.parser import Question
from runner.input.select import chosen, everything, runs
from runner.input.stretch import Stretch
from runner.lanes.out import Out
from runner.models import ErrorRecord, Job
from runner.results.resume import Decision, RetryKinds, decide
from runner.results.table import Recorded, ResultTable
from runner.run.earlier import EarlierRows
from runner.view.tally import Tally


@dataclass(kw_only=True)
class Plan:
    """Decides job by job, in input order, and remembers what is to be asked in a bit a line."""

    table: ResultTable
    unknown: Mapping[str, str]
    """Jobs sent by a run that was killed, and when."""
    kinds: RetryKinds | None
    tally: Tally
    out: Out = field(default_factory=Out)
    """Jobs that are out in batches: they are waited for, and never asked beside that."""
    selects: Callable[[int], bool] = everything
    """Whether the job with this ordinal, counted from 0, was selected."""
    selected: int = 0
    ordinal: int = 0
    changed: int = 0
    """Recorded answers to other questions; without `--retry` the run must refuse."""
    again: Counter[str] = field(default_factory=Counter)
    """Recorded jobs that are asked again, by recorded status, or as `unknown`."""
    kept: Counter[str] = field(default_factory=Counter)
    """Recorded jobs that are left as they are, by recorded status."""
    models: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Provider and model of the jobs to ask."""
    uncapped: int = 0
    """Jobs to ask that name no longest answer."""
    fed: bool = False
    """Every job that was selected has been read."""
    whole: bool = False
    """Every line of the input has been read."""
    problems: list[LineProblem] = field(default_factory=list)
    """Invalid lines to record as failed (`--skip-invalid`)."""
    lines: LineSet = field(default_factory=LineSet)
    """Where the jobs stand that are to be asked."""
    earlier: EarlierRows = field(default_factory=EarlierRows)
    """What is recorded of those that are asked again."""

    def add(self, job: Job) -> bool:
        """Decide on the next job of the input; True if it is to be asked."""
        if job.line is not None:
            self.table.note_line(job.id, job.line)
        self.out.note(job)
        if not self._select():
            return False
        ref, cap = ModelRef(job.provider, job.model), job.request.max_tokens
        recorded = self.table.get(job.id)
        if not self._is_asked(job.id, recorded, Question(ref, job.digest, cap)):
            return False
        self.models[ref] += 1
        self.uncapped += cap is None and not caps(job.request.params)
        if job.line is not None:
            self._note_asked(job.line, recorded)
            self.lines.add(job.line)
        return True

    def add_stretch(self, stretch: Stretch) -> None:
        """Decide on the next jobs of the input, with what `add` would come to for each."""
        if len(self.table) or self.unknown:
            asked = [self._takes(stretch, at) for at in range(len(stretch))]
        else:
            asked = chosen(self.selects, self.ordinal, len(stretch))
            self.ordinal += len(stretch)
            self.selected += sum(asked)
        for start, end in runs(asked):
            part = stretch.part(start, end)
            self.models.update(part.models)
            self.uncapped += part.uncapped
            self.lines.add_all(part.first, part.first + len(part))

    def _takes(self, stretch: Stretch, at: int) -> bool:
        job_id = stretch.id(at)
        recorded = self.table.get(job_id)
        if recorded is not None:
            self.table.note_line(job_id, stretch.first + at)
        if not self._select():
            return False
        if recorded is None and job_id not in self.unknown:
            return True
        if not self._is_asked(job_id, recorded, stretch.question(at)):
            return False
        self._note_asked(stretch.first + at, recorded)
        return True

    def add_problem(self, problem: LineProblem) -> bool:
        """Decide on an invalid line; True if it has to be recorded as failed."""
        if problem.id is not None:
            self.table.note_line(problem.id, problem.line)
        if not self._select():
            return False
        recorded = None if problem.id is None else self.table.get(problem.id)
        decision = decide(recorded, None, unknown=False, kinds=self.kinds)
        if recorded is not None and recorded.error_kind == "invalid_job":
            decision = Decision.KEPT
        if decision not in (Decision.NEW, Decision.AGAIN):
            self._keep(decision, recorded)
            return False
        self.problems.append(problem)
        return True

    def wanted(self, line: int) -> bool:
        """Whether the job on this line is to be asked."""
        return line in self.lines

    def settle(self, *, ids: bool) -> None:
        """The whole input has been decided on; keep what finds records by their `ids`, or not."""
        self.fed = self.whole = True
        if not ids:
            self.table.forget_ids()

    def recorded(self, job: Job) -> Recorded | None:
        """Give what was recorded of a job that is asked, before this run."""
        row = None if job.line is None else self.earlier.row(job.line)
        return None if row is None else self.table.record(row)

    @property
    def to_do(self) -> int:
        """How many jobs are to be asked."""
        return self.models.total()

    def _select(self) -> bool:
        chosen = self.selects(self.ordinal)
        self.ordinal += 1
        self.selected += chosen
        return chosen

    def _note_asked(self, line: int, recorded: Recorded | None) -> None:
        if recorded is not None:
            self.earlier.note(line, recorded.row)

    def _is_asked(self, job_id: str, recorded: Recorded | None, question: Question) -> bool:
        unknown = job_id in self.unknown
        decision = decide(recorded, question.digest, unknown=unknown, kinds=self.kinds)
        if decision not in (Decision.NEW, Decision.AGAIN):
            self._keep(decision, recorded, question.max_tokens)
            return False
        if self.out.wait_for(job_id, question.digest):
            return False
        if unknown:
            self.again["unknown"] += 1
        elif recorded is not None:
            self.again[recorded.status] += 1
        return True

    def _keep(self, decision: Decision, recorded: Recorded | None, cap: int | None = None) -> None:
        if decision is Decision.CHANGED:
            self.changed += 1
        if recorded is None:
            self.kept["unknown"] += 1
            return
        self.kept[recorded.status] += 1
        self.tally.add_earlier(
            recorded.status,
            line=recorded.line,
            error=_error(recorded),
            finish_reason=recorded.finish_reason,  # type: ignore[arg-type] # as the file has it
            cap=cap,
        )


def _error(recorded: Recorded) -> ErrorRecord | None:
    if recorded.error_kind is None:
        return None
    return ErrorRecord(
        kind=recorded.error_kind,  # type: ignore[arg-type] # as the file has it; only shown
        message="",
        retryable=recorded.retryable,
    )
