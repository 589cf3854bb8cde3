"""The usual job, decoded in one go: a native line with nothing odd about it.

What is decoded here is a job for the careful reading as well, with the same values. Whatever is
not is left to it, and so is every error.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any, cast

import msgspec
from msgspec import UNSET, UnsetType

from runner.input.decode import may_be_deep
from runner.input.draft import Draft, caps, holds_system, whole_number
from runner.input.lines import Line
from runner.input.native import brings_system, check_params
from runner.input.problems import BadLineError


class PlainMessage(msgspec.Struct, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A message with what the APIs know; its keys stand in the order of canonical JSON."""

    audio: Any = UNSET
    content: Any
    function_call: Any = UNSET
    name: Any = UNSET
    refusal: Any = UNSET
    role: str
    tool_call_id: Any = UNSET
    tool_calls: Any = UNSET


class BareJob(msgspec.Struct, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A native line that says no more; its keys stand in the order of canonical JSON."""

    id: Any = UNSET
    model: str | UnsetType = UNSET
    prompt: str


class FullJob(msgspec.Struct, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Any native line; its keys stand in the order of canonical JSON.

    Numbers are of any type, or they would be converted to the one that is asked for.
    """

    id: Any = UNSET
    max_tokens: Any = UNSET
    messages: Annotated[list[PlainMessage], msgspec.Meta(min_length=1)] | UnsetType = UNSET
    metadata: Any = UNSET
    model: str | UnsetType = UNSET
    params: dict[str, Any] | UnsetType = UNSET
    prompt: str | UnsetType = UNSET
    system: str | UnsetType = UNSET


PlainJob = BareJob | FullJob

_decode_bare = msgspec.json.Decoder(BareJob).decode
_decode_full = msgspec.json.Decoder(FullJob).decode
_REFUSED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError)
"""TypeError for a line beyond the bound, of which there are no bytes."""


def plain_jobs(lines: Sequence[Line]) -> list[PlainJob | None]:
    """Decode each line that is a usual job, None for others; ids and models are not looked at."""
    jobs: list[PlainJob | None] = []
    with suppress(*_REFUSED):
        # What was decoded before an error stays in the list.
        jobs.extend(map(_decode_bare, cast("Sequence[bytes]", lines)))
    jobs.extend(map(_full_job, lines[len(jobs) :]))
    return jobs


def _full_job(raw: Line) -> FullJob | None:
    try:
        job = _decode_full(cast("bytes", raw))
    except _REFUSED:
        return None
    if (
        (job.prompt is UNSET) == (job.messages is UNSET)
        or not (job.max_tokens is UNSET or whole_number(job.max_tokens))
        or not (job.params is UNSET or _params_fit(job))
        or may_be_deep(raw)
    ):
        return None
    return job


def _params_fit(job: FullJob) -> bool:
    try:
        check_params(
            cast("dict[str, Any]", job.params),
            capped=job.max_tokens is not UNSET,
            system=job.system is not UNSET,
        )
    except BadLineError:
        return False
    return True


def names_cap(job: FullJob) -> bool:
    """Whether a job names the longest answer itself."""
    return job.max_tokens is not UNSET or (
        not isinstance(job.params, UnsetType) and caps(job.params)
    )


def plain_draft(job: PlainJob) -> Draft:
    """Give the pieces of a job, but for its id and metadata."""
    draft = Draft(id=None, messages=None, model=job.model or None)
    if isinstance(job, FullJob):
        if job.messages is not UNSET:
            draft.messages = msgspec.to_builtins(job.messages)
            draft.brings_system = holds_system(draft.messages)
        if job.params is not UNSET:
            draft.params = job.params
            draft.brings_system |= brings_system(draft.params)
        if job.system is not UNSET:
            draft.system, draft.brings_system = job.system, True
        if job.max_tokens is not UNSET:
            draft.max_tokens = job.max_tokens
    if draft.messages is None:
        draft.messages = [{"role": "user", "content": job.prompt}]
    return draft
