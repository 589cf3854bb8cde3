"""What a run has to do: every job of the input held against what the results file holds."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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
from runner.repeats import ONCE, Repeats
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
    repeats: Repeats = ONCE
    """How often each job is asked. A table and `lines` keep jobs by their places, then."""
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
    """Where the jobs stand that are to be asked: their places."""
    earlier: EarlierRows = field(default_factory=EarlierRows)
    """What is recorded of those that are asked again."""

    def add(self, job: Job) -> Sequence[Job]:
        """Decide on the next job of the input; give what is to be asked: it, or its repeats."""
        chosen = self._select(self.repeats.times)
        if not self.repeats.named:
            return (job,) if self._adds(job, job.line, chosen) else ()
        asked = []
        for number, one in enumerate(self.repeats.jobs(job), 1):
            place = None if job.line is None else self.repeats.place(job.line, number)
            if self._adds(one, place, chosen):
                asked.append(one)
        return asked

    def _adds(self, job: Job, place: int | None, chosen: bool) -> bool:
        if place is not None:
            self.table.note_line(job.id, place)
        self.out.note(job)
        if not chosen:
            return False
        ref, cap = ModelRef(job.provider, job.model), job.request.max_tokens
        recorded = self.table.get(job.id)
        if not self._is_asked(job.id, recorded, Question(ref, job.digest, cap)):
            return False
        self.models[ref] += 1
        self.uncapped += cap is None and not caps(job.request.params)
        if place is not None:
            self._note_asked(place, recorded)
            self.lines.add(place)
        return True

    def add_stretch(self, stretch: Stretch) -> None:
        """Decide on the next jobs of the input, with what `add` would come to for each."""
        if self.repeats.named:
            for at in range(len(stretch)):
                self._add_repeats(stretch, at)
            return
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

    def _add_repeats(self, stretch: Stretch, at: int) -> None:
        job_id, line = stretch.id(at), stretch.first + at
        chosen, asked = self._select(self.repeats.times), 0
        for number in self.repeats.numbers():
            place = self.repeats.place(line, number)
            if self._takes_one(stretch, at, self.repeats.id(job_id, number), place, chosen):
                self.lines.add(place)
                asked += 1
        if asked:
            part = stretch.part(at, at + 1)
            self.models.update(dict.fromkeys(part.models, asked))
            self.uncapped += part.uncapped * asked

    def _takes(self, stretch: Stretch, at: int) -> bool:
        return self._takes_one(stretch, at, stretch.id(at), stretch.first + at, self._select())

    def _takes_one(self, stretch: Stretch, at: int, job_id: str, place: int, chosen: bool) -> bool:
        recorded = self.table.get(job_id)
        if recorded is not None:
            self.table.note_line(job_id, place)
        if not chosen:
            return False
        if recorded is None and job_id not in self.unknown:
            return True
        if not self._is_asked(job_id, recorded, stretch.question(at)):
            return False
        self._note_asked(place, recorded)
        return True

    def add_problem(self, problem: LineProblem) -> Sequence[LineProblem]:
        """Decide on an invalid line; give what has to be recorded as failed."""
        problem = self.repeats.problem(problem)
        if problem.id is not None:
            self.table.note_line(problem.id, self.repeats.place(problem.line, 1))
        if not self._select():
            return ()
        recorded = None if problem.id is None else self.table.get(problem.id)
        decision = decide(recorded, None, unknown=False, kinds=self.kinds)
        if recorded is not None and recorded.error_kind == "invalid_job":
            decision = Decision.KEPT
        if decision not in (Decision.NEW, Decision.AGAIN):
            self._keep(decision, recorded)
            return ()
        self.problems.append(problem)
        return (problem,)

    def wanted(self, line: int) -> bool:
        """Whether the job on this line is to be asked, or one of its repeats."""
        if self.repeats.times == 1:
            return line in self.lines
        return any(place in self.lines for place in self.repeats.places(line))

    def wanted_of(self, job: Job) -> Sequence[Job]:
        """Give what is to be asked of a job of the input."""
        if not self.repeats.named or job.line is None:
            return (job,)
        places = self.repeats.places(job.line)
        return [
            one
            for place, one in zip(places, self.repeats.jobs(job), strict=True)
            if place in self.lines
        ]

    def settle(self, *, ids: bool) -> None:
        """The whole input has been decided on; keep what finds records by their `ids`, or not."""
        self.fed = self.whole = True
        if not ids:
            self.table.forget_ids()

    def recorded(self, job: Job) -> Recorded | None:
        """Give what was recorded of a job that is asked, before this run."""
        row = self.earlier.row(self.repeats.place_of(job.line, job.id))
        return None if row is None else self.table.record(row)

    @property
    def to_do(self) -> int:
        """How many jobs are to be asked."""
        return self.models.total()

    def _select(self, times: int = 1) -> bool:
        chosen = self.selects(self.ordinal)
        self.ordinal += 1
        self.selected += times * chosen
        return chosen

    def _note_asked(self, place: int, recorded: Recorded | None) -> None:
        if recorded is not None:
            self.earlier.note(place, recorded.row)

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
