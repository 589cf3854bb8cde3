"""What a provider says went wrong, read from the many shapes of error bodies and events."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from runner.models import Completion
from runner.providers.fields import mapping, objects, string


@dataclass(frozen=True, slots=True)
class Fault:
    """An error in the provider's own words."""

    message: str | None = None
    codes: tuple[str, ...] = ()
    """Its names for the error, the most specific first."""
    status: int | None = None
    """An HTTP status written into the body, as gateways do."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers written into the body, names in lower case: under HTTP 200 they come no other way."""

    @property
    def code(self) -> str | None:
        """The most specific name."""
        return self.codes[0] if self.codes else None


class FaultError(Exception):
    """An error that came inside a body or an event, under HTTP 200."""

    def __init__(self, fault: Fault, came: Completion | None = None) -> None:
        """`came`: what there is of an answer in a whole body all the same."""
        super().__init__(fault.message)
        self.fault = fault
        self.came = came


def fault_in(value: object) -> Fault | None:
    """Find the error in a body or event that should have been an answer; None where it is one.

    Shapes: `{"error": {...}}` and `{"error": "..."}` (OpenAI, Anthropic, gateways), the flat
    `{"type": "error", ...}` (Responses), `{"object": "error", ...}` (older vLLM and SGLang), any of
    them as the only item of a list (Gemini).
    """
    if isinstance(value, list):
        return fault_in(value[0]) if len(value) == 1 and isinstance(value[0], dict) else None
    body = mapping(value)
    error = body.get("error")
    if isinstance(error, str | dict) and error:
        found = _fault(error)
        return found if found.status else replace(found, status=_status(body))
    if error or body.get("type") == "error" or body.get("object") == "error":
        return _fault(body)
    return None


def fault_in_choices(choices: object) -> Fault | None:
    """Find the error that a gateway put into one of the answers (OpenRouter)."""
    for choice in objects(choices):
        error = choice.get("error")
        if error and (fault := fault_in({"error": error})) is not None:
            return fault
    return None


def no_answer(body: dict[str, Any]) -> Exception:
    """What to raise for an object under HTTP 200 that is neither an answer nor plainly an error."""
    fault = fault_of(body)
    return FaultError(fault) if fault.message else ValueError("neither answer nor error")


def fault_of(value: object) -> Fault:
    """Read a body that is known to be an error, whatever its shape."""
    return fault_in(value) or _fault(value)


def _fault(error: object) -> Fault:
    if isinstance(error, str):
        return Fault(message=error)
    body = mapping(error)
    inner = body.get("error")
    if isinstance(inner, dict) and not string(body.get("message")):
        return _fault(inner)
    names = (mapping(body.get("details")).get("error_code"), body.get("code"), body.get("type"))
    codes = dict.fromkeys(name for name in map(string, names) if name and name != "error")
    return Fault(
        message=_message(body),
        codes=tuple(codes),
        status=_status(body),
        headers=_headers(mapping(body.get("headers"))),
    )


def _headers(found: dict[str, Any]) -> dict[str, str]:
    return {
        name.lower(): str(value)
        for name, value in found.items()
        if isinstance(value, str | int | float)
    }


def _message(body: dict[str, Any]) -> str | None:
    detail = body.get("detail")
    told = [part.get("msg") for part in objects(detail)]
    told += [part.get("message") for part in objects(body.get("errors"))]
    joined = "; ".join(reason for reason in map(string, told) if reason)
    plain = string(body.get("message")) or string(body.get("Message")) or string(detail)
    return plain or joined or None


def _status(body: dict[str, Any]) -> int | None:
    for name in ("code", "status", "status_code"):
        number = body.get(name)
        text = str(number)
        if isinstance(number, int | str) and text.isdecimal() and 300 <= int(text) <= 599:
            return int(text)
    return None
