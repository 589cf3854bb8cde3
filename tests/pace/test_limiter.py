"""The limiter as its callers see it."""

import pytest

from runner.pace.limiter import Limiter
from runner.pace.permit import Need
from runner.quota import Gauge, Quota

NEED = Need("model", 1000, 100)


def told(limit: int, remaining: int | None = None) -> Quota:
    """Tell of a limit of requests."""
    return Quota(requests=Gauge(limit=limit, remaining=remaining))


def used(limiter: Limiter, now: float, quota: Quota | None) -> None:
    """Send a request that takes half a second."""
    permit = limiter.reserve(NEED, now)
    limiter.settle(permit, now + 0.5, input_tokens=300, output_tokens=50, quota=quota)


def starts(limiter: Limiter, now: float, until: float) -> int:
    """Start as many requests as the limiter permits."""
    sent = 0
    while now < until:
        wait = limiter.wait(NEED, now)
        now += wait
        if not wait:
            limiter.reserve(NEED, now)
            sent += 1
    return sent


def test_the_unknown_is_let_through() -> None:
    """Without numbers and headers nothing waits: the valve bounds what is in flight."""
    limiter = Limiter(0.0)
    for _ in range(1000):
        assert limiter.wait(NEED, 0.0) == 0.0
        limiter.reserve(NEED, 0.0)
    assert limiter.holds(0.0) is None
    assert not limiter.is_told


def test_the_first_headers_set_the_pace_at_once() -> None:
    """After one answer the rate is the server's, with what it has left."""
    limiter = Limiter(0.0)
    used(limiter, 0.0, told(600, 9))
    assert limiter.is_told
    assert limiter.rate(NEED) == 600 / 60
    assert 98 <= starts(limiter, 0.5, 10.5) <= 112
    assert limiter.holds(10.5) == "rpm"


def test_what_is_in_flight_when_the_first_headers_come_counts() -> None:
    """A hundred requests sent in ignorance are a debt once a limit is known."""
    limiter = Limiter(0.0)
    permits = [limiter.reserve(NEED, 0.0) for _ in range(100)]
    limiter.settle(permits[0], 0.5, input_tokens=300, output_tokens=50, quota=told(600, 9))
    assert limiter.wait(NEED, 0.5) > 8


def test_an_older_answer_does_not_bring_an_old_limit_back() -> None:
    """When a limit was changed, answers from before the change are late, not right."""
    limiter = Limiter(0.0)
    slow = limiter.reserve(NEED, 0.0)
    used(limiter, 1.0, told(300, 5))
    limiter.settle(slow, 3.0, input_tokens=300, output_tokens=50, quota=told(600, 9))
    assert limiter.rate(NEED) == 300 / 60


def test_a_gate_holds_everything() -> None:
    """A refusal shuts the gate for as long as the server asked, whoever asks."""
    limiter = Limiter(0.0)
    permit = limiter.reserve(NEED, 0.0)
    limiter.refused(permit, 1.0, retry_after_s=10.0, quota=None, draw=0.5)
    assert 10.0 <= limiter.wait(Need("other", 1, 1), 1.0) <= 11.0
    assert limiter.gate_left(2.0) == limiter.wait(NEED, 2.0)
    assert limiter.holds(5.0) == "gate"
    assert limiter.gate_left(13.0) == 0.0
    assert limiter.refusals == 1


def test_one_refusal_among_many_is_the_job_s_own() -> None:
    """A single refusal makes its own job wait as asked, or half a second; others go on."""
    limiter = Limiter(0.0)
    permits = [limiter.reserve(NEED, at / 10) for at in range(20)]
    limiter.refused(permits[9], 2.0, retry_after_s=0.3, quota=None, draw=0.0)
    limiter.refused(permits[19], 2.0, retry_after_s=None, quota=None, draw=0.0)
    assert limiter.job_delay(permits[9], 2.1) == pytest.approx(0.2)
    assert limiter.job_delay(permits[19], 2.0) == pytest.approx(0.5)
    assert limiter.job_delay(permits[19], 3.0) == 0.0
    assert limiter.wait(NEED, 2.0) == 0.0


def test_a_gate_opens_when_others_are_let_in() -> None:
    """A long wait that is asked for holds all, until one that was sent later gets through."""
    limiter = Limiter(0.0)
    permits = [limiter.reserve(NEED, at / 10) for at in range(3)]
    limiter.refused(permits[1], 0.3, retry_after_s=20.0, quota=None, draw=0.0)
    limiter.settle(permits[0], 1.0)
    assert limiter.wait(NEED, 1.0) > 19
    limiter.settle(permits[2], 1.0)
    assert limiter.wait(NEED, 1.0) == 0.0
    assert limiter.job_delay(permits[1], 1.0) == pytest.approx(19.3)


def test_refusals_without_headers_find_a_pace() -> None:
    """Refused in a row without a reason, requests are paced as the server seems to let them in."""
    limiter = Limiter(0.0)
    permits = [limiter.reserve(NEED, at / 10) for at in range(200)]
    for permit in permits[-3:]:
        assert not limiter.refused(permit, 20.0, retry_after_s=None, quota=None, draw=0.0)
    assert 90 <= starts(limiter, 20.6, 30.6) <= 110
    assert limiter.holds(30.6) == "server"


def test_a_refusal_that_headers_explain_keeps_the_pace() -> None:
    """Where the server shows that nothing was left, nothing has to be found out."""
    limiter = Limiter(0.0)
    permit = limiter.reserve(NEED, 0.0)
    assert limiter.refused(permit, 0.1, retry_after_s=0.1, quota=told(60_000, 0), draw=0.0)
    assert limiter.wait(NEED, 60.0) == 0.0
    limiter.reserve(NEED, 60.0)
    assert limiter.holds(62.0) is None


def test_a_cancelled_permit_leaves_no_trace() -> None:
    """A permit whose request was not sent gives everything back."""
    limiter = Limiter(0.0, rpm=1, tpm=1000)
    permit = limiter.reserve(NEED, 0.0)
    assert limiter.wait(NEED, 0.0) > 0
    limiter.cancelled(permit, 0.0)
    assert limiter.wait(NEED, 0.0) == 0.0


def test_a_failed_request_counts_as_held() -> None:
    """What is not known to be unused counts as used under --tpm."""
    limiter = Limiter(0.0, tpm=1000)
    permit = limiter.reserve(NEED, 0.0)
    wait = limiter.wait(NEED, 0.0)
    limiter.failed(permit, 0.0)
    assert limiter.wait(NEED, 0.0) == wait > 0


def test_a_refused_request_gives_its_tokens_back() -> None:
    """Under --tpm a refusal costs no tokens."""
    limiter = Limiter(0.0, tpm=1000)
    permit = limiter.reserve(NEED, 0.0)
    limiter.refused(permit, 0.0, retry_after_s=0.0, quota=None, draw=0.0)
    assert limiter.wait(NEED, 1.5) == 0.0


def test_a_permit_is_given_back_once() -> None:
    """To settle twice is a mistake of the caller and is said so."""
    limiter = Limiter(0.0)
    permit = limiter.reserve(NEED, 0.0)
    limiter.settle(permit, 1.0)
    with pytest.raises(ValueError, match="only once"):
        limiter.cancelled(permit, 1.0)


def test_a_limit_that_is_told_late_is_learned_late() -> None:
    """A server that tells of tokens only in later answers is understood then."""
    limiter = Limiter(0.0)
    used(limiter, 0.0, told(600_000, 9000))
    assert limiter.rate(NEED) == 600_000 / 60
    both = Quota(
        requests=Gauge(limit=600_000, remaining=9000), tokens=Gauge(limit=6000, remaining=100)
    )
    used(limiter, 1.0, both)
    used(limiter, 2.0, both)
    rate = limiter.rate(NEED)
    assert rate is not None
    assert rate < 6000 / 60
    assert limiter.wait(NEED, 2.5) > 0
    assert limiter.holds(2.5) == "tpm"


def test_a_limit_without_what_is_left_is_kept() -> None:
    """A server that tells only its limit is paced by that alone."""
    limiter = Limiter(0.0)
    used(limiter, 0.0, told(60))
    used(limiter, 5.0, told(60))
    assert 59 <= starts(limiter, 5.5, 65.5) <= 63


def test_a_key_that_all_others_use_is_waited_for_and_tried_again() -> None:
    """However bad the news was, a request goes out within a few seconds of silence."""
    limiter = Limiter(0.0)
    for at in range(20):
        used(limiter, float(at), told(600, 10 - min(10, at)))
    assert limiter.wait(NEED, 60.0) == 0.0


def test_the_rate_is_that_of_the_lowest_limit() -> None:
    """What bounds requests per second is told, whether a person, a server or a refusal said it."""
    assert Limiter(0.0).rate(NEED) is None
    assert Limiter(0.0, rpm=600).rate(NEED) == pytest.approx(10, rel=0.01)
    assert Limiter(0.0, rpm=600, tpm=24_000).rate(NEED) == pytest.approx(1.0)
    limiter = Limiter(0.0, rpm=600)
    used(limiter, 0.0, told(300, 5))
    assert limiter.rate(NEED) == pytest.approx(5.0)


@pytest.mark.parametrize(("refusals", "asked", "longest_s"), [(9, 0.0, 2.0), (20, None, 60.0)])
def test_a_single_job_is_not_kept_for_long(
    refusals: int, asked: float | None, longest_s: float
) -> None:
    """A lone job that is refused again and again is through soon after the server lets it in."""
    limiter = Limiter(0.0)
    now = 0.0
    for _ in range(refusals):
        while wait := limiter.wait(NEED, now):
            now += wait
        permit = limiter.reserve(NEED, now)
        now += 0.07
        limiter.refused(permit, now, retry_after_s=asked, quota=None, draw=0.5)
        now += limiter.job_delay(permit, now)
    assert now + limiter.wait(NEED, now) <= longest_s


def test_who_was_turned_away_took_a_request_and_no_tokens() -> None:
    """No gate is shut, no rate is cut, and what was held for the answer is free again."""
    limiter = Limiter(0.0, rpm=600, tpm=6_000)
    while limiter.wait(NEED, 0.0) == 0.0:
        permit = limiter.reserve(NEED, 0.0)
        limiter.turned_away(permit, 0.0)
    assert limiter.holds(0.0) == "rpm"
    assert limiter.refusals == 0
    assert limiter.gate_left(0.0) == 0.0
    with pytest.raises(ValueError, match="only once"):
        limiter.turned_away(permit, 0.0)
