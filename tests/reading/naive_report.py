"""The figures of a report computed the slow way: every record decoded whole and kept."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from math import ceil
from pathlib import Path
from typing import Any

from runner.reading.records import records


def naive_figures(path: Path) -> dict[str, Any]:
    """Sum up what `show` and `export` give of a file."""
    found = [json.loads(line) for line in records(path)]
    usages = [one["usage"] for one in found if one["usage"]]
    cached = [usage for usage in usages if None not in _pair(usage)]
    attempts = [attempt for one in found for attempt in one["attempts"]]
    before = [attempt for one in found for attempt in one["attempts"][:-1]]
    return {
        "jobs": len(found),
        **{status: _count(found, status) for status in ("succeeded", "failed", "interrupted")},
        "cut_off": sum(one["finish_reason"] == "length" for one in found),
        "input": _sum(usages, "input_tokens"),
        "output": _sum(usages, "output_tokens"),
        "cached": sum(usage["cached_input_tokens"] for usage in cached) if cached else None,
        "cost": _cost(found),
        "cost_unknown_jobs": sum(one["cost_usd"] is None for one in found),
        "requests": len(attempts),
        "refusals": sum(attempt["outcome"] == "rate_limit" for attempt in attempts),
        "retries": sum(attempt["outcome"] != "rate_limit" for attempt in before),
        "kinds": Counter(one["error"]["kind"] for one in found if one["status"] == "failed"),
        "whole": _times(one["duration_s"] for one in found if one["status"] == "succeeded"),
        "first": _times(
            one["time_to_first_token_s"] for one in found if one["status"] == "succeeded"
        ),
        "slowest": sorted(_times(one["duration_s"] for one in found), reverse=True)[:10],
        "started_at": min((one["started_at"] for one in found if one["started_at"]), default=None),
        "ended_at": max((one["finished_at"] for one in found if one["finished_at"]), default=None),
    }


def nearest_rank(times: Sequence[float], share: float) -> float:
    """The least time that so large a share does not pass."""
    return sorted(times)[max(1, ceil(share * len(times))) - 1]


def _count(found: Sequence[dict[str, Any]], status: str) -> int:
    return sum(one["status"] == status for one in found)


def _pair(usage: dict[str, Any]) -> tuple[Any, Any]:
    return usage["input_tokens"], usage["cached_input_tokens"]


def _sum(usages: Sequence[dict[str, Any]], key: str) -> int | None:
    return sum(usage[key] or 0 for usage in usages) if usages else None


def _cost(found: Sequence[dict[str, Any]]) -> int:
    """In picodollars; of a job whose cost is not known what is known of its requests."""
    costs = [
        [one["cost_usd"]]
        if one["cost_usd"] is not None
        else [attempt["cost_usd"] for attempt in one["attempts"]]
        for one in found
    ]
    return sum(round(cost * 10**12) for some in costs for cost in some if cost is not None)


def _times(times: Iterable[float | None]) -> list[float]:
    return [time for time in times if time is not None]
