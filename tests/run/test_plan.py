"""A plan made of jobs many at once is the plan made of them one by one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import LineProblem
from runner.input.check import check_file
from runner.input.select import everything, limit, sample
from runner.input.source import open_source
from runner.models import Job
from runner.repeats import ONCE, Repeats
from runner.results.heads import ErrorHead, RecordHead
from runner.results.resume import RetryKinds
from runner.results.table import ResultTable
from runner.run.plan import Plan
from runner.view.tally import Tally
from tests.input.helpers import check, make_parser, write_lines

MODELS = [{}, {"model": "sim/slow"}]
OTHERS = [{}, {"max_tokens": 5}, {"params": {"max_completion_tokens": 5}}, {"system": "s"}]
jobs = st.lists(
    st.tuples(st.booleans(), st.sampled_from(MODELS), st.sampled_from([{}, {}, *OTHERS])),
    min_size=1,
    max_size=12,
)
records = st.sampled_from(
    [
        None,
        None,
        ("succeeded", "stop", None, False),
        ("succeeded", "length", None, False),
        ("failed", None, "timeout", True),
        ("failed", None, "invalid_request", False),
        ("interrupted", None, None, False),
    ]
)
recorded = st.lists(st.tuples(records, st.booleans(), st.booleans()), min_size=12, max_size=12)
selections = st.sampled_from([everything, limit(3), sample(2, 5)])
retries = st.sampled_from([None, "failed", "changed,length", "unknown", "all"])


def write_jobs(path: Path, given: list[Any]) -> str:
    """Write a file of these jobs; every fifth line is a problem."""
    lines: list[Any] = []
    for number, (has_id, *others) in enumerate(given):
        line: dict[str, Any] = {"id": f"a{number}"} if has_id else {}
        for other in others:
            line |= other
        lines.append({**line, "prompt": f"{number}"})
        if number % 5 == 4:
            lines.append(b"{")
    return write_lines(path, *lines)


def begin(
    known: list[Job],
    recorded: list[Any],
    selects: Callable[[int], bool],
    retry: str | None,
    repeats: Repeats,
) -> Plan:
    """A plan over what these records say of the jobs."""
    table, unknown = ResultTable(), {}
    for job, (record, asks, was_sent) in zip(known, recorded, strict=False):
        if record is not None:
            status, finish, kind, retryable = record
            head = RecordHead(
                v=1,
                id=job.id,
                digest=job.digest if asks else "0" * 64,
                status=status,
                line=99,
                finish_reason=finish,
                error=None if kind is None else ErrorHead(kind=kind, retryable=retryable),
            )
            table.extend(0, [1], [head])
        if was_sent and retry is not None:
            unknown[job.id] = "some time"
    kinds = None if retry is None else RetryKinds.parse(retry)
    tally = Tally()
    return Plan(
        table=table, unknown=unknown, kinds=kinds, tally=tally, selects=selects, repeats=repeats
    )


def make(plan: Plan, name: str, ask: dict[str, Any], *, whole: bool) -> None:
    """Tell a plan of all jobs, one by one or many at once."""

    def take(job: Job) -> None:
        plan.add(job)

    def note(problem: LineProblem) -> None:
        plan.add_problem(problem)

    check_file(
        open_source(name),
        make_parser(**ask),
        on_job=take,
        on_problem=note,
        on_stretch=plan.add_stretch if whole else None,
    )


def outcome(plan: Plan) -> list[Any]:
    """All that a plan came to."""
    return [
        *(plan.selected, plan.ordinal, plan.changed, plan.again, plan.kept),
        *(list(plan.models.items()), plan.uncapped, plan.to_do, plan.tally, len(plan.lines)),
        [line for line in range(1, 40) if plan.wanted(line)],
        [plan.table.noted_line(row) for row in range(plan.table.rows)],
    ]


@pytest.mark.parametrize("ask", [{}, {"max_tokens": 7}, {"overrides": {"max_tokens": 7}}], ids=str)
@given(
    given_jobs=jobs,
    recorded=recorded,
    selects=selections,
    retry=retries,
    new=st.booleans(),
    repeats=st.sampled_from([ONCE, Repeats.of(1), Repeats.of(3)]),
)
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_many_at_once_are_planned_like_one_by_one(
    ask: dict[str, Any],
    given_jobs: list[Any],
    recorded: list[Any],
    selects: Callable[[int], bool],
    retry: str | None,
    new: bool,
    repeats: Repeats,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Decisions, counts, lines and models are those of the plan that is told of every job."""
    name = write_jobs(tmp_path_factory.getbasetemp() / "planned.jsonl", given_jobs)
    known = [] if new else check(name, make_parser(**ask))[1]
    known = [one for job in known for one in repeats.jobs(job)]
    outcomes = []
    for whole in (False, True):
        plan = begin(known, recorded, selects, retry, repeats)
        make(plan, name, ask, whole=whole)
        outcomes.append(outcome(plan))
    assert outcomes[0] == outcomes[1]


@given(
    given_jobs=jobs,
    recorded=recorded,
    retry=retries,
    whole=st.booleans(),
    repeats=st.sampled_from([ONCE, Repeats.of(1), Repeats.of(3)]),
)
@settings(max_examples=100, derandomize=True, database=None)
def test_what_was_recorded_is_found_without_ids(
    given_jobs: list[Any],
    recorded: list[Any],
    retry: str | None,
    whole: bool,
    repeats: Repeats,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Each job that is asked again finds its own record when the ids have been given back."""
    name = write_jobs(tmp_path_factory.getbasetemp() / "again.jsonl", given_jobs)
    found_jobs = check(name, make_parser())[1]
    known = [one for job in found_jobs for one in repeats.jobs(job)]
    plan = begin(known, recorded, everything, retry, repeats)
    make(plan, name, {}, whole=whole)
    lines = [job for job in found_jobs if job.line is not None and plan.wanted(job.line)]
    asked = [one for job in lines for one in plan.wanted_of(job)]
    rows = [found and found.row for found in (plan.table.get(job.id) for job in asked)]
    plan.settle(ids=False)
    assert [found and found.row for found in map(plan.recorded, asked)] == rows
