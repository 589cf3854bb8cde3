"""`python -m tests.docs.picture`: record the README's picture anew, as samples/terminal.svg.

A real session on a pseudo-terminal, with the practice server in place of the provider: a run that
Ctrl-C stops, and the same command again.
"""

import json
import re
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.docs.drawing import Shot, svg
from tests.docs.pages import ROOT
from tests.processes.running import pointing_at
from tests.processes.terminals import COLUMNS, terminal
from tests.simulated import scenario_file, simulator

PICTURE = ROOT / "samples" / "terminal.svg"
PROMPT = "$ "
COMMAND = "runner batch reviews.jsonl -t @topic.j2 -m openai/gpt-5-mini"
ABOUT = (
    "A run over 240 reviews is stopped by Ctrl-C: it waits for the answers on their way and says"
    " how to go on. The same command again asks the rest and ends with a summary."
)
_SCENARIO = """
description = "2,400 requests a minute"
[answer]
min_tokens = 1
mean_tokens = 2
max_tokens = 3
[speed]
first_token_s = 0.4
jitter = 0.5
tokens_per_second = 100
[limits]
requests_per_minute = 2400
request_burst_s = 1
"""
_SETTINGS = """
[providers.openai.models."gpt-5-mini"]
prices = { input = 0.25, cached_input = 0.025, output = 2.0 }
"""
"""The list's prices, which count at OpenAI's own address only."""
_DONE = re.compile(r"(\d+)% ")
_TYPING_S = 0.03
_PAUSE_S = 1.0
_REDRAW_S = 0.2


def record(folder: Path, jobs: int, stop_at: int) -> list[Shot]:
    """Play the session and give what was on the screen when; Ctrl-C comes at `stop_at` per cent."""
    write_rows(folder / "reviews.jsonl", jobs)
    (folder / "topic.j2").write_text("Topic in one word: {{ text }}", encoding="utf-8")
    settings = folder / "config" / "runner" / "runner.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(_SETTINGS, encoding="utf-8")
    shots: list[Shot] = []
    with simulator(scenario_file(folder, _SCENARIO)) as endpoints:
        for stop in (stop_at, None):
            shots += _played(folder, pointing_at(endpoints), stop, shots[-1] if shots else None)
    last = shots[-1]
    return [*shots, Shot(last.at_s + _PAUSE_S, [*last.lines, PROMPT])]


def write_rows(path: Path, count: int) -> None:
    """Write so many different rows."""
    things = ("lift", "stairs", "heating", "post", "garden", "parking", "bins", "roof")
    rows = ({"text": f"{things[n % 8]} of house {n}, once more"} for n in range(count))
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def _played(
    folder: Path, env: dict[str, str], stop: int | None, before: Shot | None
) -> Iterator[Shot]:
    """Type the command and give the shots of its run, in time with what was before."""
    above = [] if before is None else [*before.lines, ""]
    at_s = 0.0 if before is None else before.at_s + _PAUSE_S
    for end in range(0, len(COMMAND) + 1, 2):
        yield Shot(at_s, [*above, PROMPT + COMMAND[:end]])
        at_s += _TYPING_S
    above.append(PROMPT + COMMAND)
    yield Shot(at_s, above)
    at_s += _PAUSE_S / 2
    with terminal(folder, *shlex.split(COMMAND)[1:], env=env) as shown:
        begun, drawn = time.monotonic(), 0.0
        for _ in shown.watch():
            now = time.monotonic() - begun
            if stop is not None and max(map(int, _DONE.findall(shown.raw)), default=0) >= stop:
                shown.type("\x03")
                stop = None
            if now - drawn >= _REDRAW_S:
                drawn = now
                yield Shot(at_s + now, [*above, *_trimmed(shown.lines)])
        yield Shot(at_s + time.monotonic() - begun, [*above, *_trimmed(shown.lines)])


def _trimmed(lines: list[str]) -> list[str]:
    return lines[:-1] if lines and not lines[-1] else lines


def main() -> None:
    """Record and draw."""
    with tempfile.TemporaryDirectory() as folder:
        shots = record(Path(folder), 240, 40)
    PICTURE.write_text(svg(shots, ABOUT, columns=COLUMNS, prompt=PROMPT), encoding="utf-8")
    sys.stdout.write("\n".join(shots[-1].lines) + f"\nwritten: samples/{PICTURE.name}\n")


if __name__ == "__main__":
    main()
