"""What a run has to do: every job of the input held against what the results file holds."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from runner.errors import LineProblem
from runner.lanes.out import Out
from runner.models import ErrorRecord, Job
from runner.results.resume import Decision, RetryKinds, decide
from runner.results.table import Recorded, ResultTable
from runner.view.tally import Tally

CAPS = frozenset({"max_tokens", "max_completion_tokens", "max_output_tokens"})


def everything(_: int) -> bool:
    """Select every job."""
    return True


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
    decisions: Counter[Decision] = field(default_factory=Counter)
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
    lines: bytearray = field(default_factory=bytearray)
    """One bit a line: set where the job is to be asked."""

    def add(self, job: Job) -> bool:
        """Decide on the next job of the input; True if it is to be asked."""
        if job.line is not None:
            self.table.note_line(job.id, job.line)
        self.out.note(job)
        if not self._select():
            return False
        recorded = self.table.get(job.id)
        unknown = job.id in self.unknown
        decision = decide(recorded, job.digest, unknown=unknown, kinds=self.kinds)
        self.decisions[decision] += 1
        if decision not in (Decision.NEW, Decision.AGAIN):
            self._keep(decision, recorded, job.request.max_tokens)
            return False
        if self.out.wait_for(job):
            return False
        if unknown:
            self.again["unknown"] += 1
        elif recorded is not None:
            self.again[recorded.status] += 1
        self.models[job.provider, job.model] += 1
        self.uncapped += job.request.max_tokens is None and not CAPS & job.request.params.keys()
        if job.line is not None:
            self._mark(job.line)
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
        byte = line >> 3
        return byte < len(self.lines) and bool(self.lines[byte] & (1 << (line & 7)))

    @property
    def to_do(self) -> int:
        """How many jobs are to be asked."""
        return self.models.total()

    def _select(self) -> bool:
        chosen = self.selects(self.ordinal)
        self.ordinal += 1
        self.selected += chosen
        return chosen

    def _mark(self, line: int) -> None:
        byte = line >> 3
        if byte >= len(self.lines):
            self.lines.extend(bytes(byte + 1 - len(self.lines)))
        self.lines[byte] |= 1 << (line & 7)

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
