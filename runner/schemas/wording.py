"""Why an answer does not fit its schema, in bounded words without the answer's own values. Pure."""

import re
from collections.abc import Sequence

from runner.models import Completion
from runner.schemas.validator import Fault
from runner.words import plural, printable, scrubbed

_LONGEST = 300
_LONGEST_PLACE = 120
_LONGEST_REFUSAL = 160
_PLACE = re.compile(r"\(byte \d+\)")


def misfit_text(faults: Sequence[Fault], *, many: bool) -> str:
    """Say what does not fit, and where; `many`: there may be more of them than were counted."""
    place, reason = faults[0]
    where = f"at {_cut(place, _LONGEST_PLACE)}" if place else "at the top"
    others = len(faults) - 1
    more = f" ({'at least ' if many else ''}{plural(others, 'more fault')})" if others else ""
    return _clean(f"{where}: {_cut(reason, _LONGEST)}{more}")


def no_json_text(completion: Completion, problem: str | None) -> str:
    """Say why there is no JSON, by how the answer ended; `problem` is the decoder's."""
    text = (completion.text or "").strip()
    match completion.finish_reason:
        case "length":
            return (
                "the answer was cut off at the token limit before its JSON ended;"
                " a higher --max-tokens gives it room"
            )
        case "content_filter":
            said = f': "{_cut(text, _LONGEST_REFUSAL)}"' if text else ""
            return _clean(f"the model refused, or a filter stopped it, instead of JSON{said}")
        case "tool_calls" if not text:
            return "the answer is a call of a tool and holds no JSON"
        case "pause":
            return "the model paused (pause_turn) before its JSON ended"
    if not text:
        return "the answer is empty and holds no JSON"
    if text.startswith("```"):
        return "the answer is not JSON alone: it stands in a code fence (```)"
    place = _PLACE.search(problem or "")
    if text[0] not in '{["-0123456789tfn':
        return "the answer is not JSON: it begins with other words"
    return "the answer is not JSON" + (f" {place[0]}" if place else "")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


def _clean(text: str) -> str:
    return printable(scrubbed(text))
