"""What must hold for a results file of any bytes: scanned, mended, put in order, and again."""

import json
from collections import Counter
from pathlib import Path

from runner.results.compact import compact
from runner.results.heads import RecordHead, head_of
from runner.results.paths import ResultPaths, paths_for
from runner.results.scan import repair, scan
from runner.results.table import digest_number

Seen = list[tuple[bytes, RecordHead | None]]


def results(data: bytes, folder: Path) -> None:
    """No record that stands is lost, what is dropped is kept aside, and twice is once."""
    paths = paths_for(folder / "o.results.jsonl")
    paths.results.write_bytes(data)
    before: Seen = [(line, head_of(line)) for line in data.split(b"\n") if line.strip()]
    found = scan(paths.results)
    assert found.lines == sum(1 for _, head in before if head), "records are overlooked"
    found = repair(paths)
    assert (scan(paths.results).torn, scan(paths.results).unended) == (0, False)
    assert compact(paths, found).left_because is None
    after = paths.results.read_bytes()
    assert not after or after.endswith(b"\n"), "the last line is torn"
    _nothing_is_lost(before, after, paths)
    compact(paths, repair(paths))
    assert paths.results.read_bytes() == after, "a second time changes something"


def _nothing_is_lost(before: Seen, after: bytes, paths: ResultPaths) -> None:
    kept = Counter(_content(line) for line in after.split(b"\n")[:-1])
    assert kept == Counter(_content(line) for line in _standing(before)), "not what has to stand"
    torn = _lines(paths.torn)
    assert torn == Counter(line for line, head in before if head is None), "lines are dropped"
    replaced = {line for line, head in before if head is not None and head.status == "succeeded"}
    replaced -= set(_standing(before))
    assert replaced <= set(_lines(paths.old)), "an answer is dropped"


def _standing(before: Seen) -> list[bytes]:
    """Give the lines that have to stay: of the last digest the last success, else the last."""
    stands: dict[str, bytes] = {}
    heads = [(line, head) for line, head in before if head is not None]
    last = {head.id: digest_number(head.digest) for _, head in heads}
    good: set[str] = set()
    for line, head in heads:
        if digest_number(head.digest) != last[head.id]:
            continue
        if head.status == "succeeded" or head.id not in good:
            stands[head.id] = line
        if head.status == "succeeded":
            good.add(head.id)
    return list(stands.values())


def _content(line: bytes) -> str:
    """A record but for its place in the input, which belongs to the run."""
    try:
        pairs = json.loads(line, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return repr(line)
    return json.dumps([pair for pair in pairs if pair[0] != "line"])


def _lines(path: Path) -> "Counter[bytes]":
    if not path.exists():
        return Counter()
    return Counter(line for line in path.read_bytes().split(b"\n") if line.strip())
