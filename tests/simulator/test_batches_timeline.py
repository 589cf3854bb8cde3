"""When a batch does what, by a clock of the test's own."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from runner.simulator.batches.context import Context, Places
from runner.simulator.batches.rows import Lot, Outcome, Row
from runner.simulator.batches.timeline import Timeline
from runner.simulator.batches.work import Work
from runner.simulator.scenario import Batch, Scenario
from runner.simulator.stats import Stats

SETTINGS = Batch(validating_s=1, processing_s=10, finalizing_s=2, cancelling_s=3)


def test_phases() -> None:
    """A batch validates, works, finalizes and ends at the moments of its settings."""
    line = Timeline(settings=SETTINGS, created=100)
    moments = [100, 100.9, 101, 110.9, 111, 112.9, 113, 1000]
    assert [line.phase(now) for now in moments] == [
        "validating", "validating", "working", "working", "finalizing", "finalizing",
        "ended", "ended",
    ]  # fmt: skip
    assert [line.share(now) for now in (100, 101, 106, 111, 200)] == [0, 0, 0.5, 1, 1]


def test_cancelled_phases() -> None:
    """A cancellation stops the work where it is, and takes its time."""
    line = Timeline(settings=SETTINGS, created=100, cancelled=106)
    assert [line.phase(now) for now in (106, 108.9, 109, 200)] == [
        "cancelling", "cancelling", "cancelled", "cancelled",
    ]  # fmt: skip
    assert line.share(200) == 0.5


def test_no_time_at_all() -> None:
    """With all durations zero a batch is over at once."""
    settings = Batch(validating_s=0, processing_s=0, finalizing_s=0)
    line = Timeline(settings=settings, created=5)
    assert (line.phase(5), line.share(5)) == ("ended", 1.0)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def play(
    count: int, looks: list[float], cancel_at: float | None, expired: float
) -> list[tuple[str, str]]:
    """Work through rows, looking now and then; return each row's id and what became of it."""
    clock, ended = Clock(), list[tuple[str, str]]()
    settings = Batch(
        validating_s=1, processing_s=10, finalizing_s=2, cancelling_s=3, expired_rate=expired
    )
    context = Context(Scenario(batch=settings), Stats(), clock, Places())
    lot = Lot()
    for index in range(count):
        lot.add(f"r{index}", Raw(b"{}"), {"row": index})
    lot.accept(context, "b")

    def write(row: Row, outcome: Outcome) -> None:
        ended.append((row.custom_id, outcome.kind))

    line = Timeline(settings=settings, created=0)
    work = Work(lot, line, clock, lambda row: Outcome(kind="succeeded"), write)
    for clock.now in sorted(looks):
        if cancel_at is not None and clock.now >= cancel_at and line.cancelled is None:
            await work.catch_up()
            line.cancelled = clock.now
        await work.catch_up()
    clock.now = 1000
    await work.catch_up()
    assert work.over
    assert sum(work.counts.values()) == work.total == count
    return ended


@given(
    st.integers(1, 200),
    st.lists(st.floats(0, 20), max_size=8),
    st.none() | st.floats(0, 20),
    st.sampled_from([0.0, 0.5]),
)
def test_every_row_ends_once(
    count: int, looks: list[float], cancel_at: float | None, expired: float
) -> None:
    """However often one looks, and whenever it is cancelled, each row ends exactly once."""
    ended = asyncio.run(play(count, looks, cancel_at, expired))
    assert sorted(name for name, _ in ended) == sorted(f"r{index}" for index in range(count))


def test_never_in_the_order_of_the_input() -> None:
    """Two rows or more never come back in the order of the input."""
    for count in range(2, 6):
        ended = asyncio.run(play(count, [], None, 0.0))
        assert [name for name, _ in ended] != [f"r{index}" for index in range(count)]
