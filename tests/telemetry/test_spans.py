"""From records to spans: what belongs to this run, and the names of the conventions."""

import pytest

from runner.models import AttemptRecord, ErrorRecord, Interruption, Job, Request, Result
from runner.telemetry import names
from runner.telemetry.spans import Met, Place, job_spans

PLACES = {"corp": Place(api="anthropic", address="corp.example", port=443)}


def attempt(run: str, **fields: object) -> AttemptRecord:
    """One request that took half a second."""
    given = {"started_at": "2026-11-22T02:14:30.250Z", "duration_s": 0.5, "outcome": "ok"}
    return AttemptRecord(run=run, **{**given, **fields})  # type: ignore[arg-type]


def result(*attempts: AttemptRecord, **fields: object) -> Result:
    """A record of these requests."""
    given = {"id": "a", "digest": "d", "line": 1, "status": "succeeded", "model": "m"}
    whole = {**given, "provider": "corp", "attempts": list(attempts), **fields}
    return Result(**whole)  # type: ignore[arg-type]


def test_only_requests_of_this_run_are_spans() -> None:
    """What earlier runs sent was told by them; their numbers stay."""
    spans = job_spans(result(attempt("old"), attempt("now")), Met(), PLACES, run="now", texts=False)
    assert spans is not None
    assert [one.attributes[names.ATTEMPT] for one in spans.children] == [2]
    assert spans.children[0].began == 1795313670250000000
    assert spans.children[0].ended - spans.children[0].began == 500_000_000
    assert spans.attributes[names.ATTEMPTS] == 1


def test_a_record_without_a_request_is_no_span() -> None:
    """A line that is no job, or a record whose requests a killed run sent, is passed over."""
    assert job_spans(result(), Met(), PLACES, run="now", texts=False) is None
    killed = attempt("now", duration_s=None, outcome="unknown")
    assert job_spans(result(killed), Met(), PLACES, run="now", texts=False) is None


def test_a_row_of_a_batch_belongs_to_the_run_that_collects_it() -> None:
    """The last row counts whoever sent it; one that expired before was told already."""
    rows = (attempt("old", batch="b1", outcome="timeout"), attempt("older", batch="b2"))
    spans = job_spans(result(*rows), Met(), PLACES, run="now", texts=False)
    assert spans is not None
    assert [one.attributes[names.BATCH] for one in spans.children] == ["b2"]


def test_an_answer_that_was_cut_is_an_error_of_its_kind() -> None:
    """`interrupted` where we stopped it; the error's kind where there is one."""
    cut = Interruption(reason="sigint", message="stopped", at="2026-11-22T02:14:31.000Z")
    stopped = result(attempt("r", outcome="interrupted"), status="interrupted", interruption=cut)
    spans = job_spans(stopped, Met(), PLACES, run="r", texts=False)
    assert spans is not None
    assert (spans.error, spans.children[0].error) == ("interrupted", "interrupted")
    error = ErrorRecord(kind="timeout", message="late")
    late = result(attempt("r", outcome="timeout"), status="failed", error=error)
    spans = job_spans(late, Met(), PLACES, run="r", texts=False)
    assert spans is not None
    assert (spans.error, spans.children[0].attributes[names.ERROR]) == ("timeout", "timeout")


def test_parameters_are_told_only_where_they_fit() -> None:
    """The cap under its one name, numbers as numbers; what is no number is left out."""
    params = {"temperature": 1, "top_p": "high", "max_output_tokens": 5, "seed": True, "x": 1}
    request = Request(messages=[], params=params)
    job = Job(id="a", digest="d", line=1, provider="corp", model="m", request=request)
    spans = job_spans(result(attempt("r")), Met(job=job), PLACES, run="r", texts=False)
    assert spans is not None
    told = {
        name: value
        for name, value in spans.children[0].attributes.items()
        if name.startswith("gen_ai.request.")
    }
    assert told == {
        "gen_ai.request.model": "m",
        "gen_ai.request.stream": False,
        "gen_ai.request.temperature": 1.0,
        "gen_ai.request.max_tokens": 5,
    }
    assert spans.children[0].attributes[names.SERVER] == "corp.example"
    assert spans.children[0].attributes[names.PROVIDER] == "anthropic"


def test_the_names_are_those_of_the_conventions() -> None:
    """Every name that is not runner's own is in the conventions' own list."""
    known: set[object] = set()
    pytest.importorskip("opentelemetry.semconv", reason="the extra `otel` is not installed")
    from opentelemetry.semconv._incubating.attributes import gen_ai_attributes, openai_attributes
    from opentelemetry.semconv.attributes import (
        error_attributes,
        http_attributes,
        server_attributes,
    )

    for module in (
        *(gen_ai_attributes, openai_attributes, error_attributes),
        *(http_attributes, server_attributes),
    ):
        known |= {value for name, value in vars(module).items() if name.isupper()}
    ours = {
        value
        for name, value in vars(names).items()
        if name.isupper() and isinstance(value, str) and "." in value
    }
    ours |= {name for name, _ in names.PARAMETERS.values()}
    assert {name for name in ours if not name.startswith("runner.")} <= known
    assert len(ours) > 30
