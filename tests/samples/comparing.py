"""A sample without what no two runs can share: times, and names made for one run."""

import json
import re
from typing import Any

VARYING = frozenset(
    {
        # times
        *("started_at", "finished_at", "ended_at", "created", "created_at", "completed_at"),
        *("duration_s", "time_to_first_token_s", "waited_s"),
        # names
        *("run", "request_id", "runner"),
        # how far requests overlapped is a matter of time, too
        "peak_in_flight",
    }
)
"""Keys whose values differ from run to run; that one is there, or null, must not."""
_MADE_UP = re.compile(r"\b(chatcmpl-|req_|resp_|msg_|rs_|tail-)[0-9A-Za-z-]{8,}\b")
"""Ids that the simulator, or `tail`, makes for each answer."""


def comparable(name: str, data: bytes) -> list[Any]:
    """Give the lines of a file, decoded where they are JSON, with such values blanked."""
    text = data.decode()
    if name.endswith(".jsonl"):
        return [_blanked(json.loads(line)) for line in text.split("\n") if line]
    if name.endswith(".json"):
        return [_blanked(json.loads(text))]
    return [_blanked(line) for line in text.split("\n")]


def _blanked(value: Any) -> Any:
    match value:
        case dict():
            return {
                key: "..." if key in VARYING and found is not None else _blanked(found)
                for key, found in value.items()
            }
        case list():
            return [_blanked(item) for item in value]
        case str():
            return _MADE_UP.sub(r"\1...", value)
        case _:
            return value
