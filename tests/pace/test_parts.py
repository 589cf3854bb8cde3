"""The parts of the limiter, each alone."""

import math
from random import Random
from typing import Any

import pytest

from runner.pace.bucket import LONGEST_WAIT_S, Bucket
from runner.pace.charging import MODES, Charging, Mode
from runner.pace.estimate import Estimate
from runner.pace.finder import Finder
from runner.pace.gate import Gate
from runner.pace.observer import Observer


def bucket(level: float = 10.0, rate: float = 2.0) -> Bucket:
    """Create a bucket that holds ten."""
    return Bucket(0.0, rate=rate, capacity=10.0, level=level)


def test_a_bucket_fills_to_its_capacity() -> None:
    """What is taken flows back at the rate and no further than to the brim."""
    full = bucket()
    full.take(10, 0.0)
    assert full.wait(4, 0.0) == 2.0
    assert full.wait(4, 2.0) == 0.0
    full.advance(1000.0)
    assert full.level == 10.0


def test_a_large_request_overdraws() -> None:
    """A request larger than the bucket waits for a full one, and the next waits for the debt."""
    full = bucket()
    assert full.wait(25, 0.0) == 0.0
    full.take(25, 0.0)
    assert full.wait(1, 0.0) == 8.0


def test_no_wait_is_endless() -> None:
    """Even where hardly anything flows the wait is a number to sleep for."""
    assert bucket(0.0, rate=1e-12).wait(1, 0.0) == LONGEST_WAIT_S
    assert bucket(0.0, rate=0.0).wait(1, 0.0) == LONGEST_WAIT_S


def test_time_does_not_run_backwards() -> None:
    """A clock that goes back neither fills nor empties a bucket."""
    one = bucket(5.0)
    one.advance(1.0)
    one.advance(0.5)
    assert one.level == 7.0
    one.advance(1.0)
    assert one.level == 7.0


def test_what_is_put_back_may_exceed_the_capacity() -> None:
    """Nothing that was held and not used is lost, but it does not grow."""
    one = bucket()
    one.put_back(5, 0.0)
    one.advance(100.0)
    assert one.level == 15.0


def test_a_held_bucket_has_little_when_the_gate_opens() -> None:
    """After a gate there is no burst of what flowed in meanwhile."""
    one = bucket(0.0)
    one.hold(5.0, 1.0)
    assert one.wait(1, 5.0) == 0.0
    assert one.wait(3, 5.0) == 1.0


def test_a_smaller_bucket_spills() -> None:
    """A bucket that is refitted keeps no more than fits."""
    one = bucket()
    one.refit(0.0, rate=1.0, capacity=3.0)
    assert one.level == 3.0


def test_tokens_of_a_byte_are_learned() -> None:
    """After a few answers the estimate is near the truth, whatever it started from."""
    estimate = Estimate()
    assert estimate.input_tokens(1000) == 300
    assert not estimate.is_known
    for _ in range(20):
        estimate.learn(1000, 500, 40)
    assert estimate.is_known
    assert estimate.input_tokens(100) == pytest.approx(50, rel=0.02)
    assert estimate.output_tokens(None) == pytest.approx(40, rel=0.02)
    assert estimate.output_tokens(10) == 10
    assert estimate.input_tokens(0) == 1


def test_unknown_usage_teaches_nothing() -> None:
    """An answer without usage leaves the estimates as they were."""
    estimate = Estimate()
    estimate.learn(1000, None, None)
    assert (estimate.input_tokens(1000), estimate.output_tokens(None)) == (300, 200)


@pytest.mark.parametrize("truth", MODES)
@pytest.mark.parametrize("start", MODES)
def test_the_way_of_charging_is_found_out(truth: Mode, start: Mode) -> None:
    """From any start, a hundred headers show how a server charges for output."""
    chance = Random(7)
    charging = Charging(start)
    level, now, rate = 50_000.0, 0.0, 1500.0
    flying: list[tuple[float, int]] = []
    for _ in range(100):
        step = chance.expovariate(4)
        now += step
        level += rate * step
        while flying and flying[0][0] <= now:
            _, output = flying.pop(0)
            charging.completed(0.0, 256, output)
            level -= {"kept": 0, "returned": output - 256, "late": output}[truth]
        books = charging.admitted(250, 256)
        level -= 250 + (0 if truth == "late" else 256)
        charging.seen(books, math.floor(level), now, rate)
        flying.append((now + 3, chance.randint(20, 256)))
    assert charging.mode == truth


def test_headers_of_older_requests_are_passed_over() -> None:
    """An answer that overtook another does not confuse the books."""
    charging = Charging("returned")
    books = charging.admitted(100, 50)
    charging.seen(books, 1000, 5.0, 10.0)
    charging.seen(books, 0, 4.0, 10.0)
    charging.seen(books, 1010, 6.0, 10.0)
    assert charging.mode == "returned"
    assert max(charging._errors) == 0.0


def test_a_server_that_stays_full_keeps_no_charges() -> None:
    """A wrong belief that wastes the quota is given up, though the figures look right."""
    charging = Charging("kept")
    assert [charging.spilled() for _ in range(100)].index(True) == 99
    assert charging.mode == "returned"
    assert not any(charging.spilled() for _ in range(200))


def test_bad_news_counts_in_full_and_good_news_a_tenth() -> None:
    """An observer steps back at once and forward gently, and never deep below empty."""
    facts: dict[str, Any] = {"level": 5.0, "capacity": 10.0, "rate": 10.0}
    assert Observer(0.0).correct(-4.0, 1.0, **facts) == -4.0
    assert Observer(0.0).correct(4.0, 1.0, **facts) == pytest.approx(0.4)
    assert Observer(0.0).correct(400.0, 1.0, **facts) == pytest.approx(0.5)
    assert Observer(0.0).correct(-400.0, 1.0, **facts) == -15.0


def test_another_tenant_is_noticed_and_forgotten() -> None:
    """Steady bad news lowers the rate, and silence lets it come back."""
    observer = Observer(0.0)
    for second in range(100):
        observer.correct(-3.0, float(second), level=5.0, capacity=10.0, rate=10.0)
    assert observer.disturbance == pytest.approx(9.5)
    assert not observer.relax(100.0)
    for second in range(103, 180):
        assert observer.relax(float(second))
    assert observer.disturbance < 0.01


def test_a_gate_waits_as_asked_and_a_little_longer() -> None:
    """Never before the moment asked for, and at most a tenth after it."""
    for draw in (0.0, 0.5, 0.999):
        gate = Gate()
        gate.shut(100.0, 99.0, 20.0, draw)
        assert 20.0 <= gate.left(100.0) <= 22.0
        assert gate.left(200.0) == 0.0


def test_a_shorter_wish_does_not_open_a_gate() -> None:
    """The longest wait asked for counts."""
    gate = Gate()
    gate.shut(0.0, 0.0, 30.0, 0.0)
    gate.shut(1.0, 0.0, 1.0, 0.0)
    assert gate.left(1.0) == 29.0


@pytest.mark.parametrize("asked", [None, math.inf, math.nan, -1.0])
def test_a_gate_finds_its_own_time(asked: float | None) -> None:
    """Unasked it waits half a second, longer while refusals go on, and soon again after luck."""
    gate = Gate()
    waits = []
    now = 0.0
    for _ in range(50):
        gate.shut(now, now, asked, 0.0)
        waits.append(gate.left(now))
        now = gate.until
    assert waits[:4] == [0.5, 1.0, 2.0, 2.0]
    assert sum(waits[:20]) < 50
    assert waits[-1] == 15.0
    gate.passed(now)
    gate.shut(now, now - 1, asked, 0.0)
    assert gate.left(now) == 0.5


def paced(finder: Finder) -> float:
    """Have ten requests a second let in for ten seconds, and the last three refused."""
    for at in range(100):
        assert finder.wait(at / 10) == 0.0
        finder.sent(at / 10)
    for at in (97, 98, 99):
        finder.refused(10.0, at / 10, at + 1, cut=True)
    assert finder.rate is not None
    return finder.rate


def test_refusals_of_one_episode_cut_once() -> None:
    """Requests that were out when the pace was cut do not cut it again."""
    finder = Finder(0.0)
    assert finder.rate is None
    first = paced(finder)
    assert first == pytest.approx(10, rel=0.05)
    for _ in range(20):
        finder.refused(10.1, 9.9, 100, cut=True)
    assert finder.rate == first
    for at in (10.5, 10.6, 10.7):
        finder.sent(at)
    finder.refused(11.6, 11.5, finder.sent(11.5), cut=True)
    assert finder.rate < first


def test_a_refusal_that_headers_explain_cuts_nothing() -> None:
    """Only refusals that nobody can explain make the limiter search for a pace."""
    finder = Finder(0.0)
    for _ in range(10):
        assert finder.refused(0.1, 0.0, finder.sent(0.0), cut=False)
    assert finder.rate is None


def test_a_found_pace_grows_again() -> None:
    """It creeps up near the limit that was found and strides when none is met for long."""
    finder = Finder(0.0)
    start = paced(finder)
    finder.wait(30.0)
    assert start < (finder.rate or 0.0) < 1.05 * start
    finder.wait(200.0)
    assert (finder.rate or 0.0) > 5 * start


def test_an_unsent_request_is_no_measure() -> None:
    """A permit that was not used leaves the pace as it was."""
    finder = Finder(0.0)
    paced(finder)
    wait = finder.wait(11.0)
    finder.sent(11.0)
    finder.unsent(11.0)
    assert finder.wait(11.0) == wait


def test_two_that_begin_together_make_room_soon() -> None:
    """In its first quarter of a minute an observer makes three times as much of bad news."""
    young, old = Observer(0.0), Observer(0.0)
    facts: dict[str, Any] = {"level": 5.0, "capacity": 10.0, "rate": 10.0}
    old.correct(0.0, 1.0, **facts)
    young.correct(-4.0, 20.0, **facts)
    old.correct(-4.0, 20.0, **facts)
    assert young.disturbance == pytest.approx(3 * old.disturbance)
