"""What a job's request asks of the pace, before it is sent."""

from typing import Any

import msgspec

from runner.models import Job
from runner.pace.permit import Need

_CAPS = ("max_completion_tokens", "max_output_tokens", "max_tokens")
_encode = msgspec.json.Encoder().encode


def spoken_of(job: Job) -> bytes:
    """Write what the model is to read as JSON, in the order in which providers put it together."""
    request, params = job.request, job.request.params
    spoken = [params[name] for name in ("tools", "instructions") if name in params]
    if request.schema is not None:
        spoken.append(request.schema.document)
    spoken += [request.system, request.messages]
    if "input" in params:
        spoken.append(params["input"])
    return _encode(spoken)


def need_of(job: Job, spoken: bytes) -> Need:
    """Measure a request by the bytes of what `spoken_of` gives and its own cap."""
    request = job.request
    return Need(job.model, len(spoken), _cap(request.max_tokens, request.params))


def _cap(asked: int | None, params: dict[str, Any]) -> int | None:
    caps = [params[name] for name in _CAPS if isinstance(params.get(name), int)]
    cap = caps[0] if caps else asked
    choices = params.get("n")
    return cap if cap is None or not isinstance(choices, int) else cap * max(choices, 1)
