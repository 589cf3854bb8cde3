"""The few records that a report shows one by one, with the beginnings of their texts."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from runner.reading.report.by_model import ModelKey
from runner.reading.report.causes import Causes
from runner.reading.report.picks import MOST_FAILED, Picks
from runner.results.lines import read_at
from runner.results.places import Places

_TEXT = 160
"""Characters of a text that are shown."""
_LONGEST_BYTES = 64 * 1024 * 1024


class _Error(msgspec.Struct):
    kind: str | None = None
    reason: str | None = None
    message: str = ""


class _Usage(msgspec.Struct):
    output_tokens: int | None = None


class _Shown(msgspec.Struct):
    id: str
    status: str
    line: int | None = None
    provider: str | None = None
    model: str | None = None
    lane: str | None = None
    finish_reason: str | None = None
    text: str | None = None
    error: _Error | None = None
    interruption: _Error | None = None
    usage: _Usage | None = None
    cost_usd: float | None = None
    duration_s: float | None = None
    attempts: list[msgspec.Raw] = []


class Seen(NamedTuple):
    """One record as a report shows it."""

    id: str
    line: int | None
    status: str
    """`succeeded`, `failed`, `interrupted`, or `cut off` at the token limit."""
    kind: str | None
    """Of the error, or why the answer was cut; None for a whole answer."""
    model: str
    duration_s: float | None
    output_tokens: int | None
    cost_usd: float | None
    attempts: int
    said: str
    """The beginning of the message of a failure, else of the answer."""


_decode = msgspec.json.Decoder(_Shown).decode


def sample(fd: int, places: Places, causes: Causes, picks: Picks) -> list[Seen]:
    """Read a sample: failures first, of many causes, then answers cut off, then whole ones."""
    rows = list(_spread([found.rows for _, found in causes.most()]))[:MOST_FAILED]
    failed = sorted(_read(fd, places, rows), key=lambda one: (one.status, one.kind or ""))
    cut = set(picks.cut)
    rest = [*picks.cut, *(row for row in picks.answers if row not in cut)]
    # A cut-off answer may stand among the failures, where it was broken off as well.
    return [*failed, *_read(fd, places, [row for row in rest if row not in set(rows)])]


def slowest(fd: int, places: Places, picks: Picks) -> list[Seen]:
    """Read the slowest jobs, the slowest first."""
    return list(_read(fd, places, picks.slowest))


def _spread(groups: Iterable[list[int]]) -> Iterator[int]:
    """Give one of each group, then the next of each."""
    left = [list(group) for group in groups if group]
    while left:
        for group in left:
            yield group.pop(0)
        left = [group for group in left if group]


def _read(fd: int, places: Places, rows: Iterable[int]) -> Iterator[Seen]:
    for row in rows:
        offset, length = places[row]
        if length > _LONGEST_BYTES:
            continue
        try:
            yield _seen(_decode(read_at(fd, offset, length)))
        except msgspec.ValidationError:
            # Its head is a record's and was counted; what is to be shown is not.
            continue


def _seen(record: _Shown) -> Seen:
    trouble = record.error or record.interruption
    kind = None if trouble is None else trouble.kind or trouble.reason
    if record.interruption is not None:
        kind = record.interruption.reason
    cut_off = record.status == "succeeded" and record.finish_reason == "length"
    said = record.text or "" if trouble is None else trouble.message
    return Seen(
        id=record.id,
        line=record.line,
        status="cut off" if cut_off else record.status,
        kind="max_tokens" if cut_off else kind,
        model=ModelKey(record.provider, record.model, record.lane).name,
        duration_s=record.duration_s,
        output_tokens=record.usage.output_tokens if record.usage else None,
        cost_usd=record.cost_usd,
        attempts=len(record.attempts),
        said=said[:_TEXT] + "..." * (len(said) > _TEXT),
    )
