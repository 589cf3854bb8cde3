"""Promises about a run's pace over its lanes."""

import math

from runner.models import Usage
from runner.pace.lane import Grant, Lane, family
from runner.pace.pace import Account, Ceilings, Pace
from runner.pace.permit import Need
from runner.quota import Gauge, Quota

NEED = Need("m", 100, 50)
USAGE = Usage(input_tokens=30, output_tokens=20)


def pace(**settings: object) -> Pace:
    """A pace that begins at 0 and draws 0."""
    return Pace(now=0.0, draw=lambda: 0.0, **settings)  # type: ignore[arg-type] # a test's shorthand


def start_all(one: Pace, lane: Lane, now: float, most: int = 10_000) -> list[Grant]:
    """Start as many as may start at a moment."""
    grants: list[Grant] = []
    while len(grants) < most and one.wait(lane, NEED, now) == 0:
        grants.append(one.start(lane, NEED, now))
    return grants


def answer(grants: list[Grant], now: float, quota: Quota | None = None) -> None:
    """Let requests bring answers and make room."""
    for grant in grants:
        grant.answered(now, USAGE, quota)
        grant.close(now)


def test_the_concurrency_is_a_hard_ceiling_over_all_lanes() -> None:
    """However many lanes there are, no more are out than asked for; an end makes room."""
    one = pace(concurrency=5)
    first, second = one.lane("a", "m"), one.lane("b", "m")
    grants = start_all(one, first, 0.0, 3) + start_all(one, second, 0.0)
    assert (len(grants), one.in_flight, one.why(0.0)) == (5, 5, "-c")
    assert one.wait(first, NEED, 0.0) == math.inf
    answer(grants[:1], 1.0)
    assert one.wait(first, NEED, 1.0) == 0


def test_a_run_without_a_number_begins_small_and_grows() -> None:
    """Few are sent before the first answer; while answers come in, more and more."""
    one = pace()
    lane, now, sizes = one.lane("a", "m"), 0.0, []
    for _ in range(5):
        grants = start_all(one, lane, now)
        sizes.append(len(grants))
        now += 1.0
        answer(grants, now)
    assert sizes[0] <= 8
    assert sizes == sorted(sizes)
    assert sizes[-1] >= 8 * sizes[0]


def test_an_answer_that_waits_for_the_writer_keeps_its_place() -> None:
    """Only closing a grant makes room."""
    one = pace(concurrency=1)
    lane = one.lane("a", "m")
    [grant] = start_all(one, lane, 0.0)
    grant.answered(1.0, USAGE, None)
    assert one.wait(lane, NEED, 1.0) == math.inf
    grant.close(2.0)
    assert one.wait(lane, NEED, 2.0) == 0


def test_headers_set_the_pace_of_their_lane_alone() -> None:
    """A limit that one model's server tells holds that model back and no other."""
    one = pace(concurrency=500)
    told, other = one.lane("a", "m"), one.lane("a", "n")
    quota = Quota(requests=Gauge(limit=60, remaining=0, reset_s=60.0))
    answer(start_all(one, told, 0.0, 1), 1.0, quota)
    assert len(start_all(one, told, 1.0)) <= 2
    assert one.wait(told, NEED, 1.0) > 0.5
    assert one.why(1.0) == "rpm"
    assert one.wait(other, NEED, 1.0) == 0


def test_a_refusal_shuts_its_lane_for_the_time_asked() -> None:
    """All requests of the lane wait, others do not, and it is said for how long."""
    one = pace(concurrency=500)
    lane = one.lane("a", "m")
    [grant] = start_all(one, lane, 0.0, 1)
    quota = Quota(requests=Gauge(limit=600, remaining=0, reset_s=6.0))
    grant.refused(1.0, 12.0, quota)
    grant.close(1.0)
    assert one.wait(lane, NEED, 1.0) >= 12.0
    assert one.why(1.0) == "429, 12 s"
    assert one.wait(one.lane("b", "m"), NEED, 1.0) == 0


def test_ceilings_hold_for_the_run_and_for_a_provider() -> None:
    """`--rpm` counts all lanes together, a provider's own number all of its models."""
    one = pace(
        concurrency=1000,
        ceilings=Ceilings(rpm=120),
        accounts={"small": Account(ceilings=Ceilings(rpm=30))},
    )
    small, big = one.lane("small", "m"), one.lane("big", "m")
    sent, now = {small: 0, big: 0}, 0.0
    while now < 60.0:
        for lane in (small, big):
            grants = start_all(one, lane, now)
            sent[lane] += len(grants)
            answer(grants, now)
        now += 0.25
    assert sent[small] <= 30
    assert 100 <= sent[small] + sent[big] <= 120


def test_a_request_that_was_never_sent_counts_for_nothing() -> None:
    """A grant that is closed without a word gives back what it took."""
    one = pace(ceilings=Ceilings(rpm=1))
    lane = one.lane("a", "m")
    for _ in range(10):
        [grant] = start_all(one, lane, 0.0)
        grant.close(0.0)
    answer(start_all(one, lane, 0.0), 0.0)
    assert one.wait(lane, NEED, 0.0) > 1.0


def test_snapshots_share_the_limits_of_their_model() -> None:
    """A date behind a model's name makes no lane of its own."""
    one = pace()
    assert family("gpt-5-mini-2025-08-07") == family("gpt-5-mini") == "gpt-5-mini"
    assert one.lane("a", "claude-haiku-4-5-20251001") is one.lane("a", "claude-haiku-4-5")
    assert one.lane("a", "gpt-5") is not one.lane("a", "gpt-5-mini")


def test_half_turned_away_is_no_overload() -> None:
    """A lack of room at a tier leaves the ceiling where answers have brought it."""
    ceilings = {}
    for comes_again in (True, False):
        one = pace(concurrency=64)
        lane, now = one.lane("a", "m"), 0.0
        for _ in range(20):
            grants = start_all(one, lane, now)
            now += 1.0
            for number, grant in enumerate(grants):
                if number % 5 < 2:
                    grant.turned_away(now, None, comes_again=comes_again)
                    grant.close(now, 0)
                else:
                    answer([grant], now)
        ceilings[comes_again] = lane.valve.ceiling
        assert lane.own.gate_left(now) == 0.0
    assert ceilings == {True: 64, False: 64}


def test_who_was_turned_away_gives_the_ceilings_tokens_back() -> None:
    """A person's tokens a minute are for answers, not for requests that found no room."""
    one = pace(concurrency=4, ceilings=Ceilings(tpm=600))
    lane = one.lane("a", "m")
    for _ in range(100):
        for grant in start_all(one, lane, 0.0):
            grant.turned_away(0.0, None, comes_again=True)
            grant.close(0.0)
    assert one.wait(lane, NEED, 0.0) == 0
