"""`recorded.py RESULTS COUNT [JOBS]`: a results file as an earlier run would have left it."""

import hashlib
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from runner.config_files import load_config
from runner.input.parser import JobParser
from runner.models import AttemptRecord, Result, Usage
from runner.results.encode import encode
from runner.settings import MAX_LINE_BYTES, Ask
from tests.benchmarks.stub import TEXT
from tests.benchmarks.workload import CAP, MODEL_OF

_AT = "2026-11-28T02:13:07.000Z"
_BLOCK = 2_000


def write_results(path: Path, count: int, *, jobs: Path | None = None) -> None:
    """Write so many records of some 1.4 kB to the jobs of `write_jobs`, in another order.

    With `jobs`, the file they stand in, they are answers to just these; else nobody's.
    """
    digests = None if jobs is None else list(islice(_digests(jobs), count))
    with path.open("wb") as file:
        for start in range(0, count, _BLOCK):
            # As they end: not in the order of the input.
            numbers = range(min(start + _BLOCK, count) - 1, start - 1, -1)
            file.write(b"".join(_line(number, digests) for number in numbers))


def _digests(jobs: Path) -> Iterator[str]:
    ask = Ask(model=f"openai/{MODEL_OF['openai']}", max_tokens=CAP)
    parser = JobParser(ask, load_config(None), jobs.name, max_line_bytes=MAX_LINE_BYTES)
    with jobs.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            yield parser.parse(line, number).digest


def _line(number: int, digests: list[str] | None) -> bytes:
    name = f"job-{number:07d}"
    digest = digests[number] if digests else hashlib.sha256(name.encode()).hexdigest()
    return (
        _LINE.replace(_NAME, name.encode())
        .replace(_DIGEST, digest.encode())
        .replace(b'"line":1,', b'"line":%d,' % (number + 1))
    )


_NAME, _DIGEST = b"job-none", b"d" * 64
_LINE = encode(
    Result(
        id=_NAME.decode(),
        digest=_DIGEST.decode(),
        line=1,
        status="succeeded",
        provider="openai",
        model=MODEL_OF["openai"],
        lane="live",
        text=TEXT,
        finish_reason="stop",
        usage=Usage(input_tokens=42, output_tokens=CAP, total_tokens=42 + CAP),
        cost_usd=0.0003,
        attempts=[AttemptRecord(run="r", started_at=_AT, duration_s=0.5, outcome="ok")],
        started_at=_AT,
        finished_at=_AT,
        duration_s=0.5,
    )
)


if __name__ == "__main__":
    answered = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    write_results(Path(sys.argv[1]), int(sys.argv[2]), jobs=answered)
