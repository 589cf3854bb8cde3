"""What a provider says went wrong, read from the many shapes of error bodies and events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def fault_in(value: object) -> Fault | None:
    """Find the error in a body or event that should have been an answer; None where it is one.

    Shapes: `{"error": {...}}` and `{"error": "..."}` (OpenAI, Anthropic, gateways), the flat
    `{"type": "error", ...}` (Responses), `{"object": "error", ...}` (older vLLM and SGLang).
    """
    body = mapping(value)
    if body.get("error"):
        return _fault(body["error"])
    if body.get("type") == "error" or body.get("object") == "error":
        return _fault(body)
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
    reasons = [string(part.get("msg")) for part in objects(detail)]
    joined = "; ".join(reason for reason in reasons if reason)
    return string(body.get("message")) or string(detail) or joined or None


def _status(body: dict[str, Any]) -> int | None:
    for name in ("code", "status", "status_code"):
        number = body.get(name)
        text = str(number)
        if isinstance(number, int | str) and text.isdecimal() and 300 <= int(text) <= 599:
            return int(text)
    return None
