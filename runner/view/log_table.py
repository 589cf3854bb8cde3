"""What `--log-json` tells: the name of each line, how grave it is, and what it holds.

`samples/guide/log-json.md` explains it to users, line by line. Names and fields are a promise: they
change only by addition. Missing is null. What ends in `_s` is in seconds, in `_usd` in USD; moments
are RFC 3339 in UTC.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Level = Literal["info", "warning", "error"]


class Shape(NamedTuple):
    """One kind of line, but for `time`, `level` and `event`, which all have."""

    level: Level
    fields: tuple[str, ...]


def _info(*fields: str) -> Shape:
    return Shape("info", fields)


def _warning(*fields: str) -> Shape:
    return Shape("warning", fields)


def _error(*fields: str) -> Shape:
    return Shape("error", fields)


_PLACE = ("provider", "model")
CAUSE = ("kind", "message", "http_status", "code", "request_id")
"""What is told of a failure, by the names of its own fields."""

EVENTS: Mapping[str, Shape] = {
    "run_started": _info(
        *("run", "version", "jobs", "results", "lane", "models", "selected", "done_before"),
        *("to_do", "max_tokens", "concurrency"),
    ),
    "may_be_charged_twice": _warning("jobs", "killed_at"),
    "jobs_name_own_model": _warning("jobs"),
    "concurrency_lowered": _warning("wanted", "at_once"),
    "flex_price_unknown": _warning("models"),
    "nothing_to_send": _info("selected", "succeeded"),
    "progress": _info(
        *("finished", "selected", "failed", "in_flight", "held_by", "per_second", "cost_usd"),
        "left_s",
    ),
    "batch_progress": _info(
        *("finished", "selected", "failed", "batches", "ended", "states", "elapsed_s"),
        "expires_in_s",
    ),
    "retry_scheduled": _info(
        *("job", "line", *_PLACE, "request", "delay_s", *CAUSE, "retry_after_s", "falls_back")
    ),
    "job_unanswered": _warning(
        *("job", "line", *_PLACE, "status", *CAUSE, "reason", "retryable", "requests")
    ),
    "provider_halted": _error("provider", *CAUSE),
    "model_halted": _error(*_PLACE, "jobs", *CAUSE),
    "budget_spent": _warning("next_usd", "max_cost_usd"),
    "stopping": _warning("reason", "in_flight", "grace_s", "message"),
    "writes_held": _warning("message", "for_s", "answers"),
    "writes_resumed": _info(),
    "batches_prepared": _info(
        "jobs", "batches", "out_jobs", "out_batches", "at_most_usd", "cancels"
    ),
    "batch_moved": _info("phase", "batch", *_PLACE, "jobs", "expires_at"),
    "batch_seen": _info("batch", *_PLACE, "state", "jobs", "ended"),
    "batch_failed": _error("batch", *_PLACE, "jobs", *CAUSE),
    "batches_left": _info("jobs", "batches", "providers", "expires_at"),
    "top_up": _info("jobs", "succeeded"),
    "input_changed": _error("message"),
    "answers_kept": _warning("jobs"),
    "answers_unwritten": _error("jobs"),
    "results_unordered": _warning("results", "message"),
    "results_odd_lines": _warning("results", "strangers", "corrupt"),
    "spans_unsent": _warning("message"),
    "lines_left_out": _warning("lines"),
    "run_ended": _info("exit_code", "elapsed_s", "stopped_by", "summary"),
    "error": _error("exit_code", "message", "traceback"),
}
"""In the order of a run. `run_ended` is an error where the exit code is not 0."""
