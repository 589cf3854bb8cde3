"""What a run is in the middle of when it is struck: the file before, the command, the next one."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MODEL = "gpt-5-mini"
OTHER_MODEL = "gpt-5-nano"
JOBS = 5
CONCURRENCY = ("-c", "2")

CORRUPT = b'{"v":1,"id":"job-0'

Change = Callable[[Path], None]
"""Does something to the results file before the run that is struck."""


def nothing(_: Path) -> None:
    """Leave it as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One course of events."""

    before: tuple[tuple[str, ...], ...] = ()
    """The options of the runs before, each to its end."""
    change: Change = nothing
    options: tuple[str, ...] = ()
    """Of the run that is struck."""
    again: tuple[str, ...] | None = None
    """Of the run that finishes the file; None for the same."""
    provider: str = "openai"
    model: str = MODEL
    anew: bool = False
    """What comes before is played on the server of each strike: that alone knows its batches."""
    codes_before: tuple[int, ...] = (0,)
    """How a run before may end."""
    stdin: bool = False
    invalid: bool = False
    """A line of the jobs is no job."""
    ordered: bool = True
    checkpoint: bool = False
    """Files of this size are worth a checkpoint."""
    linked: bool = False
    """The results file is a link."""

    @property
    def finishing(self) -> tuple[str, ...]:
        """The options of the run that finishes."""
        return self.options if self.again is None else self.again

    def options_of(self, *, struck: bool) -> tuple[str, ...]:
        """Give the options of the run that is struck, or of the one after it."""
        return (
            "-m",
            f"{self.provider}/{self.model}",
            *(self.options if struck else self.finishing),
        )

    def options_before(self) -> list[tuple[str, ...]]:
        """Give the options of each run before."""
        skip = ("--skip-invalid",) if self.invalid else ()
        return [("-m", f"{self.provider}/{MODEL}", *options, *skip) for options in self.before]


def _tear(results: Path) -> None:
    data = results.read_bytes()
    last = data.rstrip(b"\n").rfind(b"\n") + 1
    results.write_bytes(data + data[last : last + 300])


def _unend(results: Path) -> None:
    results.write_bytes(results.read_bytes().rstrip(b"\n"))


def _reverse(results: Path) -> None:
    lines = results.read_bytes().splitlines(keepends=True)
    results.write_bytes(b"".join(reversed(lines)))


def _corrupt(results: Path) -> None:
    first, rest = results.read_bytes().split(b"\n", 1)
    results.write_bytes(first + b"\n" + CORRUPT + b"\n" + rest)


def _forget_two(results: Path) -> None:
    """Leave what a kill leaves: two sent without a record, one of them behind the last record."""
    lines = results.read_bytes().splitlines(keepends=True)
    kept, gone = lines[:-2], [json.loads(line) for line in lines[-2:]]
    results.write_bytes(b"".join(kept))
    end = sum(map(len, kept))
    entries = [[one["id"], one["digest"], "2026-11-22T02:00:00.000Z", end] for one in gone]
    journal = results.with_name(results.name + ".journal")
    journal.write_text("".join(json.dumps(entry) + "\n" for entry in entries))


def _linked(results: Path) -> None:
    far = results.parent / "far"
    far.mkdir()
    results.rename(far / "real.jsonl")
    results.symlink_to("far/real.jsonl")


ALL = ()
LANE = ("--lane", "batch")
OUT = (*LANE, "--no-wait")
CASES: dict[str, Case] = {
    "new": Case(),
    "going on": Case(before=(("--limit", "3"),)),
    "torn": Case(before=(("--limit", "3"),), change=_tear),
    "unended": Case(before=(("--limit", "3"),), change=_unend),
    "corrupt": Case(before=(("--limit", "3"),), change=_corrupt),
    "unknown": Case(before=(ALL,), change=_forget_two),
    "order": Case(before=(ALL,), change=_reverse),
    "link": Case(before=(("--limit", "3"),), change=_linked, linked=True),
    "replaced": Case(before=(ALL,), options=("--retry", "succeeded"), again=()),
    "replaced twice": Case(
        before=(ALL, ("--retry", "succeeded")), options=("--retry", "succeeded")
    ),
    "changed": Case(before=(ALL,), options=("--retry", "changed"), model=OTHER_MODEL),
    "fresh": Case(before=(("--limit", "3"),), options=("--fresh",), again=()),
    "unordered": Case(
        before=(("--limit", "3"),), change=_reverse, options=("--unordered",), ordered=False
    ),
    "invalid": Case(before=(("--limit", "2"),), options=("--skip-invalid",), invalid=True),
    "stdin": Case(before=(("--limit", "2"),), stdin=True),
    "limit": Case(options=("--limit", "3"), again=()),
    "batch": Case(options=LANE),
    "batch, anthropic": Case(options=LANE, provider="anthropic"),
    "batch, going on": Case(before=(("--limit", "2"),), options=LANE),
    "batch, out": Case(before=(OUT,), options=LANE, anew=True, codes_before=(5,)),
    "batch, out, anthropic": Case(
        before=(OUT,), options=LANE, anew=True, codes_before=(5,), provider="anthropic"
    ),
    "batch, more": Case(
        before=(("--limit", "2", *OUT),), options=LANE, anew=True, codes_before=(5,)
    ),
    "batch, then live": Case(options=(*LANE, "--then", "live")),
    "checkpoint": Case(before=(("--limit", "3"),), checkpoint=True),
    "checkpoint, torn": Case(before=(("--limit", "3"),), change=_tear, checkpoint=True),
    "checkpoint, unknown": Case(before=(ALL,), change=_forget_two, checkpoint=True),
    "checkpoint, replaced": Case(
        before=(ALL, ("--retry", "succeeded")), options=("--retry", "succeeded"), checkpoint=True
    ),
    "checkpoint, fresh": Case(
        before=(("--limit", "3"),), options=("--fresh",), again=(), checkpoint=True
    ),
}
