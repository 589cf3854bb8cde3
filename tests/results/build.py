"""Records and logs for the tests of this room."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from runner.models import AttemptRecord, ErrorRecord, Result, Status
from runner.results.encode import encode
from runner.results.heads import head_of
from runner.results.paths import ResultPaths, paths_for
from runner.results.table import Recorded, ResultTable

AT = "2026-11-22T02:13:07.000Z"


def digest(question: str) -> str:
    """Give a digest that looks like one: 64 hex digits."""
    return f"{ord(question):02x}" * 32


def record(job_id: str, question: str = "a", status: Status = "succeeded", **fields: Any) -> Result:
    """Build one record; a failed one brings an error of kind `timeout`."""
    if status == "failed":
        fields.setdefault("error", ErrorRecord(kind="timeout", message="slow", retryable=True))
    fields.setdefault("line", None)
    return Result(id=job_id, digest=digest(question), status=status, **fields)


def attempt(run: str) -> AttemptRecord:
    """Build one attempt of a run."""
    return AttemptRecord(run=run, started_at=AT, duration_s=1.0, outcome="ok")


def write_log(path: Path, results: Iterable[Result]) -> ResultPaths:
    """Write a log as a run leaves it."""
    path.write_bytes(b"".join(encode(result) for result in results))
    return paths_for(path)


def recorded(result: Result) -> Recorded:
    """Give what a scan would keep of a record."""
    table = ResultTable()
    line = encode(result)
    head = head_of(line)
    assert head is not None
    table.extend(0, [len(line)], [head])
    found = table.get(result.id)
    assert found is not None
    return found
