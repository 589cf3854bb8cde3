"""Promises about who goes next among those that wait."""

import math

from runner.engine.need import need_of
from runner.engine.turn import Turn
from runner.engine.waiting import Waiting
from runner.models import Job, Request
from runner.pace.pace import Pace
from runner.schemas.reading import schema_of
from tests.engine.fakes import job

PACE = Pace(now=0.0, draw=lambda: 0.0)


def turn(name: str, provider: str = "fake") -> Turn:
    """A turn whose job is called so."""
    asked = job(name, provider=provider)
    return Turn(job=asked, sequence=0, lane=PACE.lane(provider, "m"), need=need_of(asked))


def names(waiting: Waiting, provider: str = "fake") -> list[str]:
    """Take everybody of a lane, in the order in which they go."""
    lane, taken = PACE.lane(provider, "m"), []
    while waiting.first(lane) is not None:
        taken.append(waiting.take(lane).job.id)
    return taken


def test_new_ones_go_in_the_order_of_the_input() -> None:
    """Who was read first is sent first."""
    waiting = Waiting()
    for name in "abc":
        waiting.add(turn(name))
    assert len(waiting) == 3
    assert names(waiting) == ["a", "b", "c"]
    assert len(waiting) == 0


def test_who_was_sent_before_goes_first() -> None:
    """A refused turn stands before those that were never sent."""
    waiting = Waiting()
    waiting.add(turn("new"))
    waiting.put_back(turn("refused"), 1.0, 1.0)
    assert names(waiting) == ["refused", "new"]


def test_a_back_off_is_waited_out() -> None:
    """Before its time a turn counts as waiting and does not go; then it goes first."""
    waiting = Waiting()
    waiting.add(turn("new"))
    waiting.put_back(turn("late"), 9.0, 1.0)
    waiting.put_back(turn("soon"), 5.0, 1.0)
    assert (len(waiting), waiting.next_at) == (3, 5.0)
    waiting.ripen(4.9)
    assert waiting.first(PACE.lane("fake", "m")).job.id == "new"  # type: ignore[union-attr] # somebody is there
    waiting.ripen(5.0)
    assert names(waiting) == ["soon", "new"]
    waiting.ripen(9.0)
    assert (names(waiting), waiting.next_at) == (["late"], math.inf)


def test_lanes_take_turns() -> None:
    """A lane that has had a turn taken to its end stands behind the others."""
    waiting = Waiting()
    waiting.add(turn("a", "one"))
    waiting.add(turn("b", "two"))
    one, two = PACE.lane("one", "m"), PACE.lane("two", "m")
    assert waiting.lanes() == [one, two]
    waiting.take(one)
    waiting.add(turn("c", "one"))
    assert waiting.lanes() == [two, one]


def test_all_can_be_sent_home() -> None:
    """Draining gives everybody, those in a back-off too, and nobody is left."""
    waiting = Waiting()
    waiting.add(turn("a", "one"))
    waiting.put_back(turn("b", "two"), 100.0, 0.0)
    assert sorted(gone.job.id for gone in waiting.drain()) == ["a", "b"]
    assert (len(waiting), waiting.lanes(), waiting.next_at) == (0, [], math.inf)


def asking(**request: object) -> Job:
    """A job with this request."""
    return Job(
        id="a",
        digest="d",
        line=1,
        provider="p",
        model="m",
        request=Request(**request),  # type: ignore[arg-type] # a test's shorthand
    )


def test_a_need_is_measured() -> None:
    """Bytes of all that is said, and the cap by whatever name, times the answers asked for."""
    short = need_of(asking(messages=[{"role": "user", "content": "hi"}], max_tokens=7))
    long = need_of(
        asking(
            messages=[{"role": "user", "content": "hi" * 500}],
            max_tokens=7,
            params={"max_completion_tokens": 20, "n": 3},
        )
    )
    assert (short.output_cap, long.output_cap) == (7, 60)
    assert long.input_bytes - short.input_bytes == 998
    assert need_of(asking(params={"input": "x" * 50})).input_bytes > 50
    assert need_of(asking(schema=schema_of({"title": "x" * 50}))).input_bytes > 50
    assert need_of(asking()).output_cap is None
