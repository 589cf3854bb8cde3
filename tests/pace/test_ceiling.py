"""What a person permits is never exceeded."""

from random import Random

import pytest

from runner.pace.ceiling import request_ceiling, token_ceiling
from runner.pace.limiter import Limiter
from runner.pace.permit import Need
from runner.quota import Gauge, Quota

NEED = Need("model", 100, 50)


def most_in_a_window(sent: list[float], window_s: float = 60.0) -> int:
    """Count the most sends in any closed window."""
    most = first = 0
    for last, moment in enumerate(sent):
        while sent[first] < moment - window_s:
            first += 1
        most = max(most, last - first + 1)
    return most


@pytest.mark.parametrize("rpm", [1, 2, 3, 7, 59, 60, 61, 599, 600, 3000])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rpm_holds_in_every_window(rpm: int, seed: int) -> None:
    """However sends fall, after idle times or not, no 60 s see more than was permitted."""
    chance = Random(seed)
    bucket = request_ceiling(0.0, rpm)
    now = 0.0
    sent: list[float] = []
    while len(sent) < min(3 * rpm + 5, 2000):
        wait = bucket.wait(1.0, now)
        if wait > 0:
            now += wait
            continue
        bucket.take(1.0, now)
        sent.append(now)
        if chance.random() < 3 / rpm:
            now += chance.choice([0.01, 1.0, 30.0, 59.9, 70.0])
    assert most_in_a_window(sent) <= rpm


@pytest.mark.parametrize("rpm", [1, 60, 600])
def test_rpm_is_used_nearly_in_full(rpm: int) -> None:
    """The promise costs half a percent of the pace, no more."""
    bucket = request_ceiling(0.0, rpm)
    now, sent = 0.0, 0
    while now < 3600:
        if wait := bucket.wait(1.0, now):
            now += wait
        else:
            bucket.take(1.0, now)
            sent += 1
    assert sent >= 0.994 * 60 * rpm


def test_the_way_to_the_server_does_not_break_the_promise() -> None:
    """Sends that arrive up to 0.1 s late still come to no more in any 60 s at the server."""
    chance = Random(4)
    bucket = request_ceiling(0.0, 600)
    now = 0.0
    arrived: list[float] = []
    while len(arrived) < 3000:
        if wait := bucket.wait(1.0, now):
            now += wait
        else:
            bucket.take(1.0, now)
            arrived.append(now + 0.1 * chance.random())
    assert most_in_a_window(sorted(arrived)) <= 600


def test_headers_never_raise_a_ceiling() -> None:
    """A server that permits a thousand times more changes nothing."""
    limiter = Limiter(0.0, rpm=60)
    quota = Quota(requests=Gauge(limit=60_000, remaining=60_000))
    now = 0.0
    sent: list[float] = []
    while len(sent) < 130:
        if wait := limiter.wait(NEED, now):
            now += wait
        else:
            permit = limiter.reserve(NEED, now)
            sent.append(now)
            limiter.settle(permit, now, input_tokens=30, output_tokens=10, quota=quota)
    assert most_in_a_window(sent) <= 60
    assert limiter.holds(now) == "rpm"


def test_tokens_held_and_not_used_come_back() -> None:
    """A reservation for 5,000 tokens of which 50 are used delays the next by the 50 only."""
    bucket = token_ceiling(0.0, 60_000)
    bucket.take(5000, 0.0)
    assert bucket.wait(1000, 0.0) == pytest.approx(5.0)
    bucket.put_back(4950, 0.0)
    assert bucket.wait(1000, 0.0) == pytest.approx(0.05)


def test_tpm_holds_over_time() -> None:
    """Under --tpm the tokens used come to no more than the limit and one request."""
    limiter = Limiter(0.0, tpm=60_000)
    now, used = 0.0, 0
    chance = Random(5)
    while now < 300:
        if wait := limiter.wait(NEED, now):
            now += wait
        else:
            permit = limiter.reserve(NEED, now)
            output = chance.randint(1, 50)
            used += 25 + output
            limiter.settle(permit, now, input_tokens=25, output_tokens=output)
    assert 0.98 * 300_000 <= used <= 300_000 + 1000 + 100
    assert limiter.holds(now) == "tpm"
