"""The course of a run in about a hundred even pieces; long pauses between runs are cut out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from runner.reading.report.timeline import BEGUN, ENDED, FIELDS, Slot, Timeline

_PIECES = 120
_NICE_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600)
_DAY_S = 86400.0
_PAUSE_S = 60.0
_PAUSE_SHARE = 0.15
"""With nothing on its way for longer than both, a pause would flatten all that can be seen."""


@dataclass(slots=True)
class Piece:
    """An even piece of time."""

    at: datetime
    counts: list[int] = field(default_factory=lambda: [0] * FIELDS)
    """As in a `Slot`."""
    in_flight_s: float = 0.0
    """Requests on their way, times the seconds for which they were."""


@dataclass(slots=True)
class Course:
    """The pieces of time in which something was under way, in order."""

    piece_s: float
    """Seconds of each piece."""
    pieces: list[Piece]
    pauses: dict[int, float]
    """Seconds left out, by the number of the piece before which they are."""
    active_s: float | None
    """Seconds without the pauses; None where no record says its times."""
    peak: int | None
    """Most requests on their way, as seen at the ends of slots; None as above."""


@dataclass(slots=True)
class _Stretch:
    """Slots with no pause between them, and how many requests were on their way after each."""

    slots: list[tuple[Slot, int]]
    end: datetime
    before_s: float

    @property
    def start(self) -> datetime:
        return self.slots[0][0].at

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


def course(timeline: Timeline) -> Course:
    """Cut what happened into pieces."""
    slots = timeline.slots()
    if not slots:
        return Course(1.0, [], {}, None, None)
    levels = list(_levels(slots))
    stretches = list(_stretches(slots, levels, timeline.width_s))
    active_s = sum(stretch.seconds for stretch in stretches)
    found = Course(_nice(active_s / _PIECES, timeline.width_s), [], {}, active_s, max(levels))
    for stretch in stretches:
        if found.pieces:
            found.pauses[len(found.pieces)] = stretch.before_s
        found.pieces += _cut(stretch, found.piece_s)
    return found


def _levels(slots: Sequence[Slot]) -> Iterator[int]:
    level = 0
    for slot in slots:
        level = max(0, level + slot.counts[BEGUN] - slot.counts[ENDED])
        yield level


def _stretches(slots: Sequence[Slot], levels: Sequence[int], width_s: float) -> Iterator[_Stretch]:
    width = timedelta(seconds=width_s)
    idle = {
        number: gap
        for number in range(1, len(slots))
        if not levels[number - 1]
        and (gap := (slots[number].at - slots[number - 1].at - width).total_seconds()) > _PAUSE_S
    }
    busy_s = (slots[-1].at + width - slots[0].at).total_seconds() - sum(idle.values())
    pauses = {number: gap for number, gap in idle.items() if gap > _PAUSE_SHARE * busy_s}
    starts = [0, *pauses]
    for start, end in zip(starts, [*starts[1:], len(slots)], strict=True):
        some = list(zip(slots[start:end], levels[start:end], strict=True))
        yield _Stretch(some, slots[end - 1].at + width, pauses.get(start, 0.0))


def _nice(at_least_s: float, width_s: float) -> float:
    """Find a round number of seconds; pieces are no finer than slots."""
    for seconds in _NICE_S:
        if seconds >= max(at_least_s, width_s):
            return seconds
    return _DAY_S * max(1, -(-at_least_s // _DAY_S))


def _cut(stretch: _Stretch, piece_s: float) -> list[Piece]:
    number = max(1, round(stretch.seconds / piece_s + 0.499))
    pieces = [Piece(stretch.start + timedelta(seconds=piece_s * at)) for at in range(number)]
    ends = [slot.at for slot, _ in stretch.slots[1:]] + [stretch.end]
    for (slot, level), end in zip(stretch.slots, ends, strict=True):
        start_s = (slot.at - stretch.start).total_seconds()
        piece = pieces[min(int(start_s / piece_s + 1e-6), number - 1)]
        for at, count in enumerate(slot.counts):
            piece.counts[at] += count
        if level:
            _spread(pieces, piece_s, start_s, (end - stretch.start).total_seconds(), level)
    return pieces


def _spread(
    pieces: Sequence[Piece], piece_s: float, start_s: float, end_s: float, level: int
) -> None:
    """Let a level count in each piece for as long as it lies there."""
    at = int(start_s / piece_s + 1e-6)
    while start_s < end_s and at < len(pieces):
        until_s = min(end_s, piece_s * (at + 1))
        pieces[at].in_flight_s += level * max(0.0, until_s - start_s)
        start_s, at = until_s, at + 1
