"""What each API's module offers: an answer as one body, or as a stream of events."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from runner.simulator.answers import Answer
from runner.simulator.ask import Ask
from runner.simulator.errors import ApiError
from runner.simulator.scenario import ErrorEventForm
from runner.simulator.sse import Piece

TIERS = {"fast": "priority", "auto": "default", None: "default"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What tells one answer from another with the same text."""

    serial: str
    """Hexadecimal; the answer's and its parts' ids are made of it."""
    created: int
    """Seconds since 1970."""


class Stream(Protocol):
    """An answer that comes in pieces."""

    def pieces(self) -> Iterator[Piece]:
        """Write the whole answer, piece by piece."""

    def error(self, error: ApiError, form: ErrorEventForm) -> bytes:
        """Write what ends the stream when the answer fails on its way."""


class Shape(Protocol):
    """One API's way to put an answer."""

    def body(self, ask: Ask, answers: list[Answer], stamp: Stamp) -> dict[str, Any]:
        """Make the body of an answer that is not streamed."""

    def failed_body(self, ask: Ask, error: ApiError, stamp: Stamp) -> dict[str, Any] | None:
        """Make a body that tells of a failure under HTTP 200; None where the API has none."""

    def stream(self, ask: Ask, answers: list[Answer], stamp: Stamp) -> Stream:
        """Begin a streamed answer."""


def tier(ask: Ask) -> str:
    """Name the service tier that answered."""
    asked = ask.body.get("service_tier")
    return TIERS.get(asked, str(asked))
