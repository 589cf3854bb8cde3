"""The figures of `runner report`, against hand-made files and a naive computation."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from runner.errors import UsageError
from runner.models import AttemptRecord, ErrorRecord, Result, Usage
from runner.reading.damage import Damage
from runner.reading.report.as_json import PERCENTILES, report_figures
from runner.reading.report.histogram import ERROR
from runner.reading.report.read import read_report
from runner.results.encode import encode
from tests.reading.busy_run import busy_records, write_busy_run
from tests.reading.naive_report import naive_figures, nearest_rank
from tests.reading.support import AT, answer, attempt, broken, failure, results_file


def figures_of(path: Path) -> dict[str, Any]:
    """The figures as programs get them."""
    return report_figures(read_report(path))


def test_statuses_and_answers_that_were_cut_off(tmp_path: Path) -> None:
    """Each job is counted by how it ended; an answer at its token limit is an answer."""
    path = results_file(
        tmp_path,
        [
            answer("a", 1),
            answer("b", 2, finish_reason="length"),
            failure("c", 3),
            broken("d", 4, "idle"),
        ],
    )
    told = figures_of(path)
    assert [told[key] for key in ("jobs", "succeeded", "failed", "interrupted", "cut_off")] == [
        *(4, 2, 1, 1, 1)
    ]


def test_errors_are_grouped_by_cause_with_an_example_and_their_cost(tmp_path: Path) -> None:
    """Messages that differ in numbers are one cause; its example is the one of the lowest line."""

    def failed(line: int, message: str, cost: float | None, **error: Any) -> Result:
        kind = error.pop("kind", "invalid_request")
        told = ErrorRecord(kind=kind, message=message, **error)
        return structs.replace(failure(f"f{line}", line), error=told, cost_usd=cost)

    path = results_file(
        tmp_path,
        [
            failed(7, "prompt of 200007 tokens is too long", 0.25, http_status=400),
            failed(3, "prompt of 99000 tokens is too long", 0.5, http_status=400),
            failed(5, "prompt of 5 tokens is too long", None, http_status=413),
            failed(9, "no answer", None, kind="timeout", retryable=True),
        ],
    )
    first, *others = figures_of(path)["failures"]
    assert first == {
        "status": "failed",
        "kind": "invalid_request",
        "http_status": 400,
        "code": None,
        "message": "prompt of # tokens is too long",
        "count": 2,
        "retryable": 0,
        "cost_usd": 0.75,
        "cost_unknown_jobs": 0,
        "example": {"id": "f3", "line": 3, "message": "prompt of 99000 tokens is too long"},
    }
    assert [(one["http_status"], one["kind"], one["retryable"]) for one in others] == [
        (413, "invalid_request", 0),
        (None, "timeout", 1),
    ]
    assert [one["cost_usd"] for one in others] == [None, None]


def test_what_is_not_known_is_null(tmp_path: Path) -> None:
    """Without usage, prices, times or a first token there is no figure, and never 0."""
    told = figures_of(results_file(tmp_path, [answer("a", usage=None)]))
    assert told["cost_usd"] is None
    assert told["cost_unknown_jobs"] == 1
    assert told["tokens"] == {
        "input": None,
        "cached_input": None,
        "cached_share": None,
        "output": None,
        "unknown_jobs": 1,
    }
    assert told["latency_s"]["p50"] is None
    assert told["first_token_s"]["p50"] is None
    assert [told[key] for key in ("started_at", "active_s", "answers_per_s", "concurrency")] == [
        *(None, None, None, None)
    ]


def test_the_cached_share_is_of_those_that_tell(tmp_path: Path) -> None:
    """An answer that says nothing of a cache neither raises nor lowers the share."""
    told = Usage(input_tokens=100, output_tokens=1, cached_input_tokens=25)
    silent = Usage(input_tokens=900, output_tokens=1)
    path = results_file(tmp_path, [answer("a", 1, usage=told), answer("b", 2, usage=silent)])
    tokens = figures_of(path)["tokens"]
    assert (tokens["input"], tokens["cached_input"], tokens["cached_share"]) == (1000, 25, 0.25)


def test_money_is_told_by_model_and_lane(tmp_path: Path) -> None:
    """The most expensive first; of a job of unknown cost what is known counts."""
    tried = [
        AttemptRecord(run="r", started_at=AT, duration_s=1.0, outcome="provider", cost_usd=0.5),
        attempt(),
    ]
    path = results_file(
        tmp_path,
        [
            answer("a", 1, lane="live", cost_usd=0.25),
            answer("b", 2, lane="flex", cost_usd=0.75),
            answer("c", 3, lane="live", cost_usd=None, attempts=tried),
            answer("d", 4, model="dear", lane="live", cost_usd=2.0),
        ],
    )
    told = figures_of(path)
    assert (told["cost_usd"], told["cost_unknown_jobs"]) == (3.5, 1)
    assert [
        (one["model"], one["lane"], one["jobs"], one["cost_usd"], one["cost_unknown_jobs"])
        for one in told["models"]
    ] == [
        ("dear", "live", 1, 2.0, 0),
        ("steady", "live", 2, 0.75, 1),
        ("steady", "flex", 1, 0.75, 0),
    ]


def test_retries_and_refusals_are_told_apart(tmp_path: Path) -> None:
    """A refusal for rate is none of the retries; the last request of a job is no retry."""
    outcomes = ("rate_limit", "timeout", "rate_limit", "provider", "ok")
    path = results_file(
        tmp_path,
        [answer("a", 1, attempts=[attempt(one) for one in outcomes]), answer("b", 2)],
    )
    told = figures_of(path)
    assert (told["requests"], told["retries"], told["refusals"]) == (6, 2, 2)
    assert told["retried_for"] == {"rate_limit": 2, "timeout": 1, "provider": 1}


def test_latency_is_of_the_request_that_was_answered(tmp_path: Path) -> None:
    """A job's own time has its tries and waits in it, latency has not."""
    record = answer("a", attempts=[attempt("timeout"), attempt()], duration_s=61.0)
    told = figures_of(results_file(tmp_path, [record]))
    assert (told["latency_s"]["p50"], told["job_s"]["p50"]) == (1.0, 61.0)


def test_the_slowest_jobs_come_first(tmp_path: Path) -> None:
    """The ten that took longest, with their lines and how often they were asked."""
    jobs = [answer(f"a{line}", line, duration_s=line % 13 + 0.5) for line in range(1, 40)]
    told = figures_of(results_file(tmp_path, jobs))["slowest"]
    assert [one["line"] for one in told] == [12, 25, 38, 11, 24, 37, 10, 23, 36, 9]
    assert told[0] == {
        "id": "a12",
        "line": 12,
        "status": "succeeded",
        "model": "sim/steady",
        "duration_s": 12.5,
        "attempts": 1,
    }


def test_superseded_records_are_counted_once(tmp_path: Path) -> None:
    """In an unfinished log a job counts as it stands now, with nothing of its earlier records."""
    path = results_file(tmp_path, [failure("a", 1), answer("b", 2, cost_usd=0.5), failure("c", 3)])
    with path.open("ab") as file:
        file.write(encode(structs.replace(answer("a", 1, cost_usd=0.25), digest="d-a")))
        # A later failure does not replace an answer to the same question.
        file.write(encode(failure("b", 2)))
    told = figures_of(path)
    assert [told[key] for key in ("jobs", "succeeded", "failed")] == [3, 2, 1]
    assert told["cost_usd"] == 0.75
    assert [cause["count"] for cause in told["failures"]] == [1]


def test_a_file_that_is_being_written_is_read(tmp_path: Path) -> None:
    """A torn last line is passed over in silence, a broken one in the middle is told of."""
    path, said = write_busy_run(tmp_path / "r.jsonl", 20), list[str]()
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*lines[:5], b"\0\0", *lines[5:-1], b'{"v":1,"id":"x","dig']))
    assert read_report(path, Damage(said.append)).figures.total().jobs == 20
    assert len(said) == 1
    assert ":6 is no record" in said[0]


def test_figures_that_are_none_leave_the_record_counted(tmp_path: Path) -> None:
    """A record whose time is a word, or whose cost is absurd, counts with that unknown."""
    path = results_file(tmp_path, [answer("a", 1, cost_usd=0.5), answer("b", 2, cost_usd=0.25)])
    text = path.read_text()
    path.write_text(text.replace('"duration_s":null', '"duration_s":"long"', 1))
    told = figures_of(path)
    assert (told["jobs"], told["cost_usd"], told["cost_unknown_jobs"]) == (2, 0.25, 1)
    path.write_text(text.replace('"cost_usd":0.5', '"cost_usd":1e300', 1))
    told = figures_of(path)
    assert (told["jobs"], told["cost_usd"], told["cost_unknown_jobs"]) == (2, 0.25, 1)


def test_what_is_no_results_file_is_said(tmp_path: Path) -> None:
    """Jobs and missing files have their sentences."""
    (tmp_path / "jobs.jsonl").write_text('{"prompt": "hi"}\n')
    with pytest.raises(UsageError, match="holds jobs, not results"):
        read_report(tmp_path / "jobs.jsonl")
    with pytest.raises(UsageError, match="There is no file"):
        read_report(tmp_path / "none.jsonl")


def test_memory_does_not_grow_with_hostile_variety(tmp_path: Path) -> None:
    """Thousands of models and causes are summed up among others, and all jobs are counted."""
    path = tmp_path / "r.jsonl"
    with path.open("wb") as file:
        for line in range(1, 1501):
            error = ErrorRecord(kind="internal", message="x" * (line % 997), code=f"c{line}")
            record = structs.replace(failure(f"f{line}", line), error=error, model=f"m{line}")
            file.write(encode(record))
    report = read_report(path)
    assert len(report.figures.models) <= 201
    assert len(report.figures.causes.found) <= 401
    assert sum(found.count for found in report.figures.causes.found.values()) == 1500
    assert report.figures.total().jobs == 1500


_maybe_seconds = st.none() | st.floats(0, 5000) | st.sampled_from([0.0, 1e-9, 1.0, 1.0000001])


@st.composite
def _changed(draw: st.DrawFn, records: list[Result]) -> Result:
    record = draw(st.sampled_from(records))
    return structs.replace(
        record,
        duration_s=draw(_maybe_seconds),
        time_to_first_token_s=draw(_maybe_seconds),
        cost_usd=draw(st.none() | st.floats(0, 100)),
        finished_at=draw(st.sampled_from([record.finished_at, None, "yesterday", ""])),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(records=st.lists(_changed(list(busy_records(60))), min_size=1, max_size=40))
def test_figures_equal_a_naive_computation(
    records: list[Result], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever stands in a file, repeated ids included, figures are those of what `show` gives."""
    path = results_file(tmp_path_factory.mktemp("naive"), records)
    told, naive = figures_of(path), naive_figures(path)
    for key in ("jobs", "succeeded", "failed", "interrupted", "cut_off", "cost_unknown_jobs"):
        assert told[key] == naive[key], key
    for key in ("requests", "refusals", "retries", "started_at", "ended_at"):
        assert told[key] == naive[key], key
    tokens = told["tokens"]
    assert [tokens["input"], tokens["output"], tokens["cached_input"]] == [
        *(naive["input"], naive["output"], naive["cached"])
    ]
    assert round((told["cost_usd"] or 0) * 10**12) == pytest.approx(naive["cost"], rel=1e-12)
    kinds = dict[str, int]()
    for cause in told["failures"]:
        if cause["status"] == "failed":
            kinds[cause["kind"]] = kinds.get(cause["kind"], 0) + cause["count"]
    assert kinds == naive["kinds"]
    assert [one["duration_s"] for one in told["slowest"]] == naive["slowest"]
    _are_near(told["job_s"], naive["whole"])
    _are_near(told["first_token_s"], naive["first"])


def _are_near(told: dict[str, Any], times: list[float]) -> None:
    """Percentiles are at most half a per cent off."""
    assert told["count"] == len(times)
    if not times:
        return
    assert (told["min"], told["max"]) == (min(times), max(times))
    for name, share in PERCENTILES.items():
        exact = nearest_rank(times, share)
        assert told[name] == pytest.approx(exact, rel=ERROR * 1.001, abs=1.1e-6), name


def test_the_figures_are_json(tmp_path: Path) -> None:
    """Whatever is in the file, the figures can be written and read again."""
    told = figures_of(write_busy_run(tmp_path / "r.jsonl", 300))
    assert json.loads(json.dumps(told, allow_nan=False)) == told
