"""A report's figures for programs."""

from typing import Any

from runner.reading.report import timeline
from runner.reading.report.again import again, ceiling
from runner.reading.report.by_model import ModelFigures, Tokens
from runner.reading.report.causes import Cause, Failures
from runner.reading.report.histogram import ERROR, Histogram
from runner.reading.report.looked_at import Seen
from runner.reading.report.over_time import Course, Piece, course
from runner.reading.report.read import Report

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


def report_figures(report: Report) -> dict[str, Any]:
    """Put a report's figures under their promised keys; null means not known.

    | key | meaning |
    |---|---|
    | `file`, `jobs` | the results file; records in it, each job once |
    | `succeeded`, `failed`, `interrupted`, `cut_off` | of these; `cut_off` ended at `max_tokens` |
    | `failures` | by cause: status, kind, http_status, code, message (`#` varies), count, |
    | | retryable, cost_usd, cost_unknown_jobs, example (id, line, message) |
    | `tokens` | input, cached_input, cached_share, output, and jobs that do not fully tell |
    | `cost_usd`, `cost_unknown_jobs` | what is known; jobs that may have cost more |
    | `models` | the same by provider, model and lane |
    | `latency_s` | of requests that were answered: count, min, p50, p90, p95, p99, max, mean |
    | `job_s` | of jobs that were answered, from their first send on, waits included |
    | `first_token_s` | where answers streamed |
    | `percentile_error` | a percentile is at most so much off, as a share of itself |
    | `requests`, `retries`, `refusals`, `retried_for` | requests sent; repeated after a failure; |
    | | refused for rate (429); outcomes of those that were followed by another |
    | `started_at`, `ended_at`, `active_s`, `answers_per_s` | pauses between runs left out |
    | `peak_in_flight`, `concurrency` | requests on their way; `-c` of the last run |
    | `slowest` | the jobs that took longest |
    | `again` | commands that ask what is not done |
    | `over_time` | `piece_s`, and a list of pieces of so many seconds |
    """
    figures, total, run = report.figures, report.figures.total(), course(report.figures.timeline)
    return {
        "file": str(report.path),
        **_model(total),
        "failures": [_cause(cause, found) for cause, found in figures.causes.most()],
        "models": [
            {"provider": key.provider, "model": key.model, "lane": key.lane, **_model(model)}
            for key, model in figures.by_model()
        ],
        "percentile_error": ERROR,
        "requests": figures.requests,
        "retries": figures.retries,
        "refusals": figures.refusals,
        "retried_for": dict(figures.retried_for.most_common()),
        "started_at": figures.first_at,
        "ended_at": figures.last_at,
        "active_s": run.active_s,
        "answers_per_s": total.answered / run.active_s if run.active_s else None,
        "peak_in_flight": run.peak,
        "concurrency": ceiling(report.run),
        "slowest": [_seen(seen) for seen in report.slowest],
        "again": [{"what": step.what, "command": step.command} for step in again(report).steps],
        "over_time": {"piece_s": run.piece_s, "pieces": [_piece(run, one) for one in run.pieces]},
    }


def _model(model: ModelFigures) -> dict[str, Any]:
    return {
        "jobs": model.jobs,
        "succeeded": model.answered,
        "failed": model.failed,
        "interrupted": model.interrupted,
        "cut_off": model.cut_off,
        "tokens": _tokens(model.tokens),
        "cost_usd": model.known_usd,
        "cost_unknown_jobs": model.unknown_jobs,
        "latency_s": times(model.latency),
        "job_s": times(model.whole),
        "first_token_s": times(model.first),
    }


def _tokens(tokens: Tokens) -> dict[str, Any]:
    known = tokens.known > 0
    return {
        "input": tokens.input if known else None,
        "cached_input": tokens.cached if tokens.told else None,
        "cached_share": tokens.cached_share,
        "output": tokens.output if known else None,
        "unknown_jobs": tokens.unknown,
    }


def times(histogram: Histogram) -> dict[str, Any]:
    """Give what is to be said of times, in seconds."""
    shares = {name: histogram.percentile(share) for name, share in PERCENTILES.items()}
    some = histogram.count > 0
    return {
        "count": histogram.count,
        "min": histogram.least if some else None,
        **shares,
        "max": histogram.most if some else None,
        "mean": histogram.mean,
    }


def _cause(cause: Cause, found: Failures) -> dict[str, Any]:
    example = None
    if found.example is not None:
        example = dict(zip(("id", "line", "message"), found.example, strict=True))
    return {
        **cause._asdict(),
        "count": found.count,
        "retryable": found.retryable,
        "cost_usd": found.known_usd,
        "cost_unknown_jobs": found.unknown,
        "example": example,
    }


def _seen(seen: Seen) -> dict[str, Any]:
    return {
        "id": seen.id,
        "line": seen.line,
        "status": seen.status,
        "model": seen.model,
        "duration_s": seen.duration_s,
        "attempts": seen.attempts,
    }


def _piece(run: Course, piece: Piece) -> dict[str, Any]:
    counts = piece.counts
    return {
        "at": piece.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "succeeded": counts[timeline.ANSWERED],
        "failed": counts[timeline.FAILED],
        "interrupted": counts[timeline.INTERRUPTED],
        "refused": counts[timeline.REFUSED],
        "input_tokens": counts[timeline.INPUT],
        "output_tokens": counts[timeline.OUTPUT],
        "in_flight": round(piece.in_flight_s / run.piece_s, 3),
    }
