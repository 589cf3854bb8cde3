"""The forty cases, what each must become, and which tests show it.

`python -m tests.wire` prints them.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from runner.models import Api

ALL: tuple[Api, ...] = ("openai", "openai-responses", "anthropic")
"""The OpenAI SDK with both of its APIs, and the Anthropic SDK."""
BOTH: tuple[Api, ...] = ("openai", "anthropic")
"""Both SDKs, one API of each."""


class Case(NamedTuple):
    """One way to misbehave, and the right end of it."""

    what: str
    outcome: str


CASES: dict[int, Case] = {
    1: Case("characters cut apart, byte by byte", "text exact"),
    2: Case("CRLF or lone CR as line ends", "the same text"),
    3: Case("keep-alive comments, also after an id line", "ignored; they hold off no deadline"),
    4: Case("events with only event, retry or id; empty data", "ignored"),
    5: Case("a byte order mark before the first event", "the first event counts"),
    6: Case("no space after data:, one event on several lines", "read as one event"),
    7: Case("U+2028, NUL and emoji inside JSON", "text exact; the record is one line"),
    8: Case("half a surrogate pair", "recorded with U+FFFD, never a crash"),
    9: Case("one event of 16 MB", "read in bounded time"),
    10: Case("gzip, whole or flushed after every event", "decoded, live where it streams"),
    11: Case("damaged gzip", "permanent error that names it; text before it is kept"),
    12: Case("no choices in the first or last event", "no harm; the counts are recorded"),
    13: Case("delta or content null, missing, or a list of parts", "nothing, or the parts joined"),
    14: Case("tool calls without text", "succeeded, tool_calls, text null"),
    15: Case("tool arguments that are not JSON", "succeeded; the arguments stay as they came"),
    16: Case("token counts missing, null, words, repeated", "null or the last; never a sum"),
    17: Case("an unknown finish reason, or none", "other, its word kept; none: interrupted"),
    18: Case("a finish reason, but no [DONE]", "succeeded"),
    19: Case("[DONE], but no finish reason", "interrupted (optional by configuration)"),
    20: Case("events after the end", "ignored"),
    21: Case("the body ends in order in mid-answer", "interrupted; asked again where not shown"),
    22: Case("a last event without blank line, or torn", "taken if whole; torn: interrupted"),
    23: Case("reset or close in mid-body", "interrupted; asked again where not shown"),
    24: Case("reset or close before the first byte", "asked again"),
    25: Case("fewer bytes than Content-Length says", "asked again"),
    26: Case("an error as JSON under 200", "judged by its own code"),
    27: Case("an error as JSON in place of a stream", "judged by its own code"),
    28: Case("a web page under 200", "permanent error with status, type and first words"),
    29: Case("nothing, null or [] under 200; 204", "error, asked once more"),
    30: Case("502, 503, 504 with a proxy's page", "asked again; first words kept"),
    31: Case("an error event in mid-stream", "interrupted with its error; not repeated if shown"),
    32: Case("an error as the first event under 200", "as its status would be"),
    33: Case("Retry-After as a date", "waited for; a past one is our own back-off"),
    34: Case("Retry-After as nonsense, or ten years", "our own back-off; too long fails, said so"),
    35: Case("429 for want of money, or for rate", "no money: all stops, no record; rate: again"),
    36: Case("redirect at home", "307, 308 followed with the body; others: wrong base URL"),
    37: Case("redirect to another origin", "refused; the prompt is not sent there"),
    38: Case("silence, or a trickle of bytes", "interrupted by idle or deadline"),
    39: Case("ids doubled, changing, missing", "jobs: refused up front; answers: no harm"),
    40: Case("Messages events without names, order or end", "understood; no end: interrupted"),
}


class Proof(NamedTuple):
    """One test function and the APIs it runs with."""

    test: str
    apis: tuple[Api, ...]


PROOFS: dict[int, list[Proof]] = defaultdict(list)


def proves(
    number: int, *apis: Api, each: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a test into the table and run it with each API, given as `api`.

    Without `each` the test has a table of its own that names the API.
    """

    def enter(test: Callable[..., Any]) -> Callable[..., Any]:
        PROOFS[number].append(Proof(test.__name__, apis))
        return pytest.mark.parametrize("api", apis)(test) if apis and each else test

    return enter
