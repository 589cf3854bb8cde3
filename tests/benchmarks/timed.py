"""One step on one file, in a process of its own: `timed.py STEP FILE` prints its CPU seconds.

lines   read them, bare
decode  read them and decode each, bare
scan    read a results file as the next run does
load    the same, from its checkpoint
report  sum it up, as `runner report` does
check   check a whole file of jobs as a batch does before anything is sent
"""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from runner.config_files import load_config
from runner.input.source import open_source
from runner.reading.report.read import read_report
from runner.results import checkpoint
from runner.results.paths import paths_for
from runner.results.scan import scan
from runner.run.preparing import prepare
from runner.settings import Ask, BatchSettings
from runner.view.tally import Tally


def lines(path: Path) -> None:
    """Read."""
    with path.open("rb") as file:
        for _ in file:
            pass


def decode(path: Path) -> None:
    """Read and decode."""
    with path.open("rb") as file:
        for line in file:
            msgspec.json.decode(line)


def scanned(path: Path) -> None:
    """Scan."""
    assert scan(path).lines


def load(path: Path) -> None:
    """Load what a checkpoint holds."""
    descriptor = os.open(path, os.O_RDONLY)
    assert checkpoint.load(paths_for(path).checkpoint, descriptor) is not None
    os.close(descriptor)


def report(path: Path) -> None:
    """Sum up."""
    assert read_report(path).figures.total().jobs


def check(path: Path) -> None:
    """Check, with nothing recorded."""
    settings = BatchSettings(
        jobs=str(path), ask=Ask(model="openai/gpt-5-mini", max_tokens=256), stdout=True
    )
    prepared = prepare(
        settings,
        load_config(None),
        open_source(str(path)),
        None,
        Tally(),
        run_id="benchmark",
        started=datetime.now(UTC),
    )
    assert prepared.plan.to_do


STEPS: dict[str, Callable[[Path], None]] = {
    "lines": lines,
    "decode": decode,
    "scan": scanned,
    "load": load,
    "report": report,
    "check": check,
}


def main(step: str, path: Path) -> None:
    """Do one step and print what it cost."""
    began = time.process_time()
    STEPS[step](path)
    sys.stdout.write(json.dumps({"cpu_s": time.process_time() - began}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
