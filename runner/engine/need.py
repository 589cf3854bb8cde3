"""What a job's request asks of the pace, before it is sent."""

from typing import Any

import msgspec

from runner.models import Job
from runner.pace.permit import Need

_CAPS = ("max_completion_tokens", "max_output_tokens", "max_tokens")
_SPOKEN = ("input", "instructions", "tools")
_encode = msgspec.json.Encoder().encode


def need_of(job: Job) -> Need:
    """Measure a request by its bytes and its own cap."""
    request = job.request
    spoken = [request.messages, request.system]
    spoken += [request.params[name] for name in _SPOKEN if name in request.params]
    if request.schema is not None:
        spoken.append(request.schema.document)
    return Need(job.model, len(_encode(spoken)), _cap(request.max_tokens, request.params))


def _cap(asked: int | None, params: dict[str, Any]) -> int | None:
    caps = [params[name] for name in _CAPS if isinstance(params.get(name), int)]
    cap = caps[0] if caps else asked
    choices = params.get("n")
    return cap if cap is None or not isinstance(choices, int) else cap * max(choices, 1)
