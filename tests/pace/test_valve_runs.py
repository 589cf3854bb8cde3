"""The valve against whole servers: how near it comes to the best fixed level, from a cold start."""

import pytest

from runner.pace.valve import Valve
from tests.pace.valve_simulation import Lengths, Outcomes, Rules, beyond, play

_SEED = 3


def best(rules: Rules, level: int) -> float:
    """Give the tokens a second at the level that is known to be the best."""
    return play(rules, level=level, seed=_SEED).rate


def found(rules: Rules, lengths: Lengths | None = None, most: int | None = None) -> Outcomes:
    """Let the valve find its level within 100 s."""
    return play(rules, lengths, valve=Valve(0.0, most=most), seed=_SEED)


@pytest.mark.parametrize(
    ("rules", "lengths"),
    [
        (Rules(slowdown=beyond(200, 1)), Lengths()),
        (Rules(slowdown=beyond(200, 2)), Lengths()),
        (Rules(slowdown=beyond(200, 2), at_start=True), Lengths()),
        (Rules(slowdown=beyond(50, 2), at_start=True), Lengths(median=40)),
        (Rules(slowdown=beyond(200, 2), at_start=True), Lengths(median=40, long=0.1)),
        (Rules(slowdown=beyond(200, 2), at_start=True, failing=0.01), Lengths(median=60)),
        (Rules(slowdown=beyond(50, 1)), Lengths(speed=50)),
    ],
    ids=["flat", "falling", "by start", "small", "two lengths", "some fail", "short answers"],
)
def test_servers_that_slow_down(rules: Rules, lengths: Lengths) -> None:
    """With its start, it gets at least 0.9 of what the best level gets without one."""
    knee = 200 if rules.slowdown(100) == 1 else 50
    seconds = 120.0 if lengths.speed == 1 else 20.0
    levels = [round(knee * share) for share in (0.9, 1.0, 1.1)]
    most = max(
        play(rules, lengths, level=level, seconds=seconds, seed=_SEED).rate for level in levels
    )
    seen = play(rules, lengths, valve=Valve(0.0), seconds=seconds, seed=_SEED)
    assert seen.rate >= 0.9 * most
    last = [ceiling for at, ceiling in seen.ceilings if at >= seconds / 2]
    assert 0.75 * knee <= sum(last) / len(last) <= 1.35 * knee


def test_nobody_limits() -> None:
    """Where more always brings more, it goes to its bound in ten round trips."""
    seen = play(Rules(), valve=Valve(0.0), seconds=40.0, seed=_SEED)
    assert seen.ceilings[25][1] == 1000
    assert seen.ceilings[-1][1] == 1000


@pytest.mark.parametrize(
    "rules",
    [Rules(failing=0.05), Rules(failing=0.1, failing_slowly=True), Rules(busy=0.05)],
    ids=["5 % fail at once", "10 % fail late", "5 % are refused as busy"],
)
def test_failures_by_chance(rules: Rules) -> None:
    """Errors that have nothing to do with load cost what they cost, and no throughput beside."""
    seen = play(rules, valve=Valve(0.0, most=300), seconds=60.0, seed=_SEED)
    calm = play(Rules(), valve=Valve(0.0, most=300), seconds=60.0, seed=_SEED)
    assert min(ceiling for at, ceiling in seen.ceilings if at > 15) >= 230
    worked = 1 - (rules.failing if rules.failing_slowly else 0)
    assert seen.rate >= 0.95 * worked * calm.rate


def test_a_limit_on_concurrency() -> None:
    """A server that lets 50 in and says nothing of it refuses hardly any, and is kept busy."""
    seen = found(Rules(most=50))
    assert seen.share("refused") <= 0.01
    assert seen.share("refused", since=10.0) <= 0.005
    assert seen.rate >= 0.9 * best(Rules(most=50), 50)


def test_overload() -> None:
    """A server that turns away whatever is beyond 100 is kept near it."""
    seen = found(Rules(overload=100))
    assert seen.share("overloaded") <= 0.05
    assert seen.rate >= 0.85 * best(Rules(overload=100), 100)


def test_a_bound_on_a_flat_server() -> None:
    """With `-c 300` it goes there although nothing is won beyond 200, for nothing is lost."""
    rules = Rules(slowdown=beyond(200, 1))
    seen = found(rules, most=300)
    assert seen.ceilings[-1][1] >= 240
    assert seen.rate >= 0.9 * best(rules, 200)


def test_a_bound_far_too_high() -> None:
    """With `-c 400` it still steps back where a server drowns beyond 200."""
    rules = Rules(slowdown=beyond(200, 2), at_start=True)
    seen = found(rules, most=400)
    # What was asked for is tried first, and the first answers from there take four times as long.
    assert seen.rate >= 0.8 * best(rules, 200)
    assert seen.ceilings[-1][1] <= 260


def test_jobs_that_grow_longer() -> None:
    """Answers three times as long at the end are not taken for a server that slows down."""
    seen = found(Rules(), Lengths(drift=3.0), most=300)
    assert min(ceiling for at, ceiling in seen.ceilings if at > 20) >= 230


def test_lengths_nobody_tells() -> None:
    """Without any usage it finds its way, if less exactly."""
    rules = Rules(slowdown=beyond(200, 2), at_start=True)
    seen = play(rules, valve=Valve(0.0), tells=False, seed=_SEED)
    assert seen.rate >= 0.7 * best(rules, 200)


def test_long_answers() -> None:
    """Answers of a minute: hundreds are out after six minutes, though nobody said how many."""
    seen = play(Rules(), Lengths(speed=1 / 30), valve=Valve(0.0), seconds=360.0, seed=_SEED)
    assert seen.ceilings[-1][1] >= 200


def test_few_jobs() -> None:
    """Twenty jobs are out at once."""
    seen = play(Rules(), valve=Valve(0.0), jobs=20, seed=_SEED)
    assert seen.seconds == play(Rules(), level=20, jobs=20, seed=_SEED).seconds


@pytest.mark.parametrize(("before", "after"), [(200, 80), (80, 200)])
def test_a_server_that_changes(before: int, after: int) -> None:
    """When the server gets weaker or stronger in mid-run, the level follows within a minute."""
    later = Rules(slowdown=beyond(after, 2))
    rules = Rules(slowdown=beyond(before, 2), later=later, later_s=60.0)
    seen = play(rules, valve=Valve(0.0), seconds=180.0, seed=_SEED)
    last = [ceiling for at, ceiling in seen.ceilings if at >= 130]
    assert 0.75 * after <= sum(last) / len(last) <= 1.35 * after


def test_a_limit_on_concurrency_that_falls() -> None:
    """When fewer are let in than before, it gives way at once and finds the new limit."""
    rules = Rules(most=100, later=Rules(most=30), later_s=40.0)
    seen = play(rules, valve=Valve(0.0), seconds=120.0, seed=_SEED)
    last = [ceiling for at, ceiling in seen.ceilings if at >= 70]
    assert 22 <= sum(last) / len(last) <= 30
    assert seen.share("refused", since=60.0) <= 0.02
