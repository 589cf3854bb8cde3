"""Rows on the start: the first token of `runner tail`, and `runner --help`."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.measure import interleaved, ratios, spread
from tests.benchmarks.rows import Outcome, Row, Size
from tests.benchmarks.workload import HERE, Asking, asking

_RUNNER = (sys.executable, "-m", "runner")
_TAIL = (*_RUNNER, "tail", "-m", "openai/gpt-5-mini", "Tell me")
_MORE_ROUNDS = 5
"""These take a second at most, and vary."""


def _rounds(size: Size) -> int:
    return size.rounds * _MORE_ROUNDS if size.share == 1 else 1


def _first_token(folder: Path, size: Size) -> Outcome:
    with asking(folder, 1) as here:
        plain = (sys.executable, str(HERE / "plain_stream.py"), "gpt-5-mini", "Tell me")
        found = interleaved(
            {
                "runner tail": lambda: _cpu_to_first_byte(here, _TAIL),
                "bare script": lambda: _cpu_to_first_byte(here, plain),
            },
            _rounds(size),
        )
    said = tuple(f"{name}: CPU {spread(costs)} s" for name, costs in found.items())
    return Outcome(ratio=ratios(*found.values()), said=said)


def _cpu_to_first_byte(here: Asking, command: Sequence[str]) -> float:
    with subprocess.Popen(
        command,
        cwd=here.folder,
        env=here.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        if not process.stdout.read(1):
            raise RuntimeError(f"{command} said nothing")
        cpu = _cpu_of(process.pid)
        process.stdout.read()
    return cpu


def _cpu_of(pid: int) -> float:
    """User and system seconds of a running process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _help(folder: Path, size: Size) -> Outcome:
    with asking(folder, 1) as here:
        found = interleaved(
            {
                "runner --help": lambda: here.call(*_RUNNER, "--help").cpu_s,
                "import click": lambda: here.call(sys.executable, "-c", "import click").cpu_s,
            },
            _rounds(size),
        )
    said = tuple(f"{name}: CPU {spread(costs)} s" for name, costs in found.items())
    return Outcome(ratio=ratios(*found.values()), said=said)


ROWS = (
    Row(
        name="first-token",
        about="CPU of runner tail to the first token, beside a bare script with the SDK's stream",
        bound=1.1,
        measure=_first_token,
    ),
    Row(name="help", about="CPU of runner --help beside import click", bound=1.5, measure=_help),
)
