"""From a job's record to its spans, as plain data: one for the job, and one for each request."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec import UNSET

from runner.errors import ProviderError
from runner.models import Api, AttemptRecord, Job, Request, Result, Usage
from runner.telemetry import names

Attributes = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanData:
    """One span. Times are nanoseconds since 1970."""

    name: str
    began: int
    ended: int
    attributes: Attributes
    error: str | None = None
    """What went wrong, in a word; None where all is well."""
    children: Sequence["SpanData"] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is known of a provider before anything is sent."""

    api: Api
    address: str | None = None
    """None for the simulator, which gets one when it is started."""
    port: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """What a run noted of a job beside its record."""

    job: Job | None = None
    """None for a row of a batch."""
    errors: Sequence[ProviderError] = field(default_factory=list)
    """What its requests failed with before the last one, in order."""


def job_spans(
    result: Result, met: Met, places: Mapping[str, Place], *, run: str, texts: bool
) -> SpanData | None:
    """Make the spans of one record; None where this run sent nothing for it.

    `texts`: whether questions and answers are wanted in them.
    """
    own = [
        (number, attempt)
        for number, attempt in enumerate(result.attempts, 1)
        if attempt.duration_s is not None and (attempt.run == run or _is_row(attempt, result))
    ]
    if not own:
        return None
    common = _common(result, met, places)
    children = [
        _attempt(number, attempt, common, _status(met, place, len(own), result))
        for place, (number, attempt) in enumerate(own)
    ]
    _answer(children[-1], result, alone=len(own) == 1)
    if texts:
        _texts(children[-1].attributes, result, met.job)
    error = None
    if result.status != "succeeded":
        error = result.error.kind if result.error else result.status
    attributes = {
        names.RUN: run,
        names.JOB: result.id,
        names.LINE: result.line,
        names.STATUS: result.status,
        names.ATTEMPTS: len(own),
        names.COST_USD: result.cost_usd,
        names.ERROR: error,
    }
    return SpanData(
        name=names.JOB_SPAN,
        began=children[0].began,
        ended=max(child.ended for child in children),
        attributes=_known(attributes),
        error=error,
        children=children,
    )


def _is_row(attempt: AttemptRecord, result: Result) -> bool:
    """Whether it is the row of a batch that this run has collected; another may have sent it."""
    return attempt is result.attempts[-1] and attempt.batch is not UNSET


def _common(result: Result, met: Met, places: Mapping[str, Place]) -> Attributes:
    """What all requests of a job share."""
    place = places.get(result.provider or "")
    request = None if met.job is None else met.job.request
    return {
        names.OPERATION: names.CHAT,
        names.PROVIDER: None if place is None else names.PROVIDERS[place.api],
        names.PROVIDER_NAME: result.provider,
        names.MODEL: result.model,
        names.STREAM: result.streamed,
        names.SERVER: None if place is None else place.address,
        names.PORT: None if place is None else place.port,
        names.JOB: result.id,
        **({} if request is None else _parameters(request)),
    }


def _parameters(request: Request) -> Attributes:
    found: Attributes = {}
    given = {**request.params, "max_tokens": request.max_tokens}
    for parameter, (name, kind) in names.PARAMETERS.items():
        value = given.get(parameter)
        fits = isinstance(value, (int, float) if kind is float else kind)
        if fits and not isinstance(value, bool):
            found.setdefault(name, kind(value))  # type: ignore[arg-type] # it fits
    return found


def _status(met: Met, place: int, number: int, result: Result) -> int | None:
    """Give the HTTP status that a request failed with, where it is known."""
    if place == number - 1:
        return result.error.http_status if result.error else None
    # A killed run or another's requests may have left less to tell.
    return met.errors[place].http_status if place < len(met.errors) else None


def _attempt(
    number: int, attempt: AttemptRecord, common: Attributes, http_status: int | None
) -> SpanData:
    began = _nanoseconds(attempt.started_at)
    error = None if attempt.outcome == "ok" else attempt.outcome
    attributes = {
        **common,
        **_usage(attempt.usage),
        names.ATTEMPT: number,
        names.LANE: "live" if attempt.lane is UNSET else attempt.lane,
        names.BATCH: None if attempt.batch is UNSET else attempt.batch,
        names.COST_USD: attempt.cost_usd,
        names.REQUEST_ID: attempt.request_id,
        names.RETRY_AFTER_S: attempt.retry_after_s,
        names.ERROR: error,
        names.HTTP_STATUS: http_status,
    }
    return SpanData(
        name=f"{names.CHAT} {common[names.MODEL]}",
        began=began,
        ended=began + int((attempt.duration_s or 0) * 1e9),
        attributes=_known(attributes),
        error=error,
    )


def _usage(usage: Usage | None) -> Attributes:
    if usage is None:
        return {}
    return {
        names.INPUT_TOKENS: usage.input_tokens,
        names.OUTPUT_TOKENS: usage.output_tokens,
        names.CACHED_TOKENS: usage.cached_input_tokens,
        names.CACHE_WRITES: usage.cache_write_tokens,
        names.REASONING_TOKENS: usage.reasoning_tokens,
    }


def _answer(last: SpanData, result: Result, *, alone: bool) -> None:
    """Add what only the record says of the last request."""
    told = {
        names.RESPONSE_MODEL: result.response_model,
        names.FINISH_REASONS: [result.finish_reason] if result.finish_reason else None,
        # The record counts from the job's first request.
        names.FIRST_CHUNK_S: result.time_to_first_token_s if alone else None,
    }
    last.attributes.update(_known(told))


def _texts(attributes: Attributes, result: Result, job: Job | None) -> None:
    """Add question and answer in the shape of the conventions' messages."""
    if job is not None and job.request.messages is not None:
        attributes[names.INPUT] = _json([_message(one) for one in job.request.messages])
    if job is not None and isinstance(job.request.system, str):
        attributes[names.SYSTEM] = _json([_part(job.request.system)])
    if result.text is not None:
        answer = {"role": "assistant", "parts": [_part(result.text)]}
        attributes[names.OUTPUT] = _json([{**answer, "finish_reason": result.finish_reason}])


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    parts = content if isinstance(content, list) else [_part(content)]
    return {"role": message.get("role"), "parts": parts}


def _part(content: Any) -> dict[str, Any]:
    return {"type": "text", "content": content}


def _json(value: Any) -> str:
    return json.dumps(value, default=str)


def _known(attributes: Attributes) -> Attributes:
    return {name: value for name, value in attributes.items() if value is not None}


def _nanoseconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000) * 1_000_000
