"""Lines for machines on stderr (`--log-json`): one JSON object each, in ASCII."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

from runner.clock import Clock, SystemClock, rfc3339
from runner.errors import ProviderError
from runner.models import ErrorRecord, Interruption
from runner.view.log_table import CAUSE, EVENTS, Level
from runner.view.terminal import flush, note, pen_for
from runner.words import printable_json, scrubbed


class Log:
    """Writes the lines that `log_table` names; `quiet` leaves out all but errors.

    Never waits for a reader but in `flush`, and never holds a key: texts are scrubbed.
    """

    def __init__(self, clock: Clock | None = None, *, quiet: bool = False) -> None:
        import sys

        self._clock = SystemClock() if clock is None else clock
        self._quiet = quiet
        pen = pen_for(sys.stderr)
        if pen is not None:
            pen.left_out = lambda number: self.line("lines_left_out", lines=number)

    def write(
        self, event: str, *, level: Level | None = None, minor: bool = False, **fields: Any
    ) -> None:
        """Write one line. `level` stands for the table's; `minor` lines may be dropped."""
        level = level or EVENTS[event].level
        if not self._quiet or level == "error":
            note(self.line(event, level=level, **fields), minor=minor)

    def flush(self) -> None:
        """Wait until stderr has taken all lines, as long as it takes any."""
        flush()

    def line(self, event: str, *, level: Level | None = None, **fields: Any) -> str:
        """Give one line without its end."""
        shape = EVENTS[event]
        whole = {
            "time": rfc3339(self._clock.now()),
            "level": level or shape.level,
            "event": event,
            **{name: _plain(fields.get(name), str) for name in shape.fields},
        }
        texts = "\0".join(_texts(whole))
        if scrubbed(texts) != texts:
            # Seldom: nearly always one look at all texts together is enough.
            whole |= {name: _plain(whole[name], scrubbed) for name in shape.fields}
        # ASCII leaves nothing that a terminal obeys but DEL, which `printable_json` escapes.
        return printable_json(json.dumps(whole))


def cause_of(failure: ProviderError | ErrorRecord | Interruption | None) -> dict[str, Any]:
    """Give what lines tell of a failure; null where it does not know, or there is none."""
    return {name: getattr(failure, name, None) for name in CAUSE}


def _plain(value: Any, text: Callable[[str], str]) -> Any:
    """Give what JSON can hold, with `text` done to each text; an infinity is null."""
    match value:
        case str():
            return text(value)
        case float():
            return round(value, 9) if isfinite(value) else None
        case Mapping():
            return {str(key): _plain(one, text) for key, one in value.items()}
        case Sequence():
            return [_plain(one, text) for one in value]
        case _:
            return value


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for one in value.values():
                yield from _texts(one)
        case Sequence():
            for one in value:
                yield from _texts(one)
