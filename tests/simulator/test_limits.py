"""Limits: buckets that refill smoothly, true headers, and refusals that tell the wait."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.simulator.bucket import Gauge
from runner.simulator.headers import go_duration, rate_headers, retry_headers
from runner.simulator.limits import BucketName, Limiter, LimitReachedError
from runner.simulator.scenario import Limits
from tests.simulated import scenario_file, simulator_in_thread, stats
from tests.simulator.asking import body_for, post


class HandClock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def refused(limiter: Limiter, input_tokens: int = 10, output_tokens: int = 0) -> LimitReachedError:
    """Ask for what may not be had now."""
    with pytest.raises(LimitReachedError) as reached:
        limiter.admit(input_tokens, output_tokens)
    return reached.value


def test_requests_refill_smoothly() -> None:
    """A burst empties the bucket; each request after it has to wait its share of a minute."""
    clock = HandClock()
    limiter = Limiter(Limits(requests_per_minute=120), clock)
    limiter.admit(1, 1)
    limiter.admit(1, 1)
    wait = refused(limiter).retry_after_s
    assert wait == pytest.approx(0.5)
    clock.now += 0.25
    assert refused(limiter).retry_after_s == pytest.approx(0.25)
    clock.now += 0.25
    limiter.admit(1, 1)
    clock.now += 3600
    assert limiter.gauges()["requests"] == Gauge(limit=120, remaining=2, reset_s=0)


def test_small_limits_still_let_one_in() -> None:
    """The request bucket holds one request, however low the limit."""
    limiter = Limiter(Limits(requests_per_minute=1), HandClock())
    limiter.admit(1, 1)
    assert refused(limiter).retry_after_s == pytest.approx(60)


def test_charge_at_admission_is_settled() -> None:
    """The most an answer may take is charged first and the rest given back at the end."""
    limiter = Limiter(Limits(tokens_per_minute=6000), HandClock())
    charge = limiter.admit(100, 400)
    assert limiter.gauges()["tokens"].remaining == 100
    limiter.settle(charge, 100, 50)
    assert limiter.gauges()["tokens"].remaining == 450
    assert limiter.gauges()["tokens"].reset_s == pytest.approx(1.5)


def test_charge_at_completion() -> None:
    """Output charged at the end may overdraw the bucket, which the next one waits for."""
    limiter = Limiter(Limits(tokens_per_minute=6000, charge="completion"), HandClock())
    charge = limiter.admit(100, 400)
    assert limiter.gauges()["tokens"].remaining == 500
    limiter.settle(charge, 100, 900)
    assert limiter.gauges()["tokens"].remaining == 0
    assert refused(limiter, 10).retry_after_s == pytest.approx(4.1)


def test_large_requests() -> None:
    """More than the bucket holds waits for a full one; more than a minute's worth never fits."""
    clock = HandClock()
    limiter = Limiter(Limits(tokens_per_minute=6000), clock)
    limiter.admit(2000, 0)
    assert refused(limiter, 2000).retry_after_s == pytest.approx(20)
    clock.now += 20
    limiter.admit(2000, 0)
    assert refused(limiter, 6001).retry_after_s is None


def test_input_and_output_apart() -> None:
    """Input and output may have limits of their own; the slowest one is named."""
    limits = Limits(input_tokens_per_minute=600, output_tokens_per_minute=60)
    limiter = Limiter(limits, HandClock())
    limiter.admit(10, 6)
    reached = refused(limiter, 10, 6)
    assert (reached.name, reached.limit) == ("output-tokens", 60)


def test_refusals_may_count() -> None:
    """Where refusals count, each one makes the wait longer, up to a bound."""
    limits = Limits(requests_per_minute=60, count_refusals=True)
    limiter = Limiter(limits, HandClock())
    limiter.admit(1, 1)
    waits = [refused(limiter).retry_after_s for _ in range(3)]
    assert waits == pytest.approx([2, 2, 2])


def test_concurrency() -> None:
    """More at once than allowed are refused until one has ended."""
    limiter = Limiter(Limits(max_concurrency=1), HandClock())
    charge = limiter.admit(1, 1)
    assert refused(limiter).retry_after_s is None
    limiter.settle(charge, 1, 1)
    limiter.admit(1, 1)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0ms"), (0.012, "12ms"), (1, "1s"), (1.5, "1.5s"), (360, "6m0s"), (3723.5, "1h2m3.5s")],
)
def test_go_durations(seconds: float, text: str) -> None:
    """Durations are written as Go writes them."""
    assert go_duration(seconds) == text


def test_header_formats() -> None:
    """Each API has its own names and formats; a wait is never rounded down."""
    gauge = Gauge(limit=600, remaining=7, reset_s=59.2)
    gauges: dict[BucketName, Gauge] = {"tokens": gauge}
    now = datetime(2026, 11, 22, 19, 59, 1, tzinfo=UTC)
    assert rate_headers("chat", {**gauges, "input-tokens": gauge}, now) == [
        (b"x-ratelimit-limit-tokens", b"600"),
        (b"x-ratelimit-remaining-tokens", b"7"),
        (b"x-ratelimit-reset-tokens", b"59.2s"),
    ]
    assert rate_headers("messages", gauges, now) == [
        (b"anthropic-ratelimit-tokens-limit", b"600"),
        (b"anthropic-ratelimit-tokens-remaining", b"7"),
        (b"anthropic-ratelimit-tokens-reset", b"2026-11-22T20:00:01Z"),
    ]
    assert retry_headers("messages", 0.2) == [(b"retry-after", b"1")]
    assert retry_headers("chat", 0.0001)[1] == (b"retry-after-ms", b"1")
    assert retry_headers("chat", None) == []


@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
def test_refused_by_the_server(api: str, tmp_path: Path) -> None:
    """Over the limit is a 429 with the true wait, and it is counted as a refusal."""
    text = "[speed]\nfirst_token_s = 0\n[limits]\nrequests_per_minute = 1\n"
    text += "tokens_per_minute = 600000\n"
    with simulator_in_thread(scenario_file(tmp_path, text)) as endpoints:
        first = post(endpoints, api, body_for(api))
        second = post(endpoints, api, body_for(api))
        found = stats(endpoints)
    assert (first.status, second.status) == (200, 429)
    prefix = "anthropic-ratelimit-requests-{}" if api == "messages" else "x-ratelimit-{}-requests"
    assert first.headers[prefix.format("remaining")] == "0"
    assert first.headers[prefix.format("limit")] == "1"
    assert 58 <= int(second.headers["retry-after"]) <= 60
    error = second.json()["error"]
    assert "requests" in error["message"]
    if api == "messages":
        assert error["type"] == "rate_limit_error"
    else:
        assert (error["type"], error["code"]) == ("requests", "rate_limit_exceeded")
    assert (found["refusals"], found["requests"], found["completed"]) == (1, 2, 1)


def test_tokens_of_a_refused_request_come_back(tmp_path: Path) -> None:
    """A request that fails for another reason uses no tokens."""
    text = "[limits]\ntokens_per_minute = 60000\n"
    text += "[[rules]]\nfault = { kind = 'status', status = 500 }\n"
    with simulator_in_thread(scenario_file(tmp_path, text)) as endpoints:
        replies = [post(endpoints, "messages", body_for("messages")) for _ in range(2)]
    left = [int(reply.headers["anthropic-ratelimit-tokens-remaining"]) for reply in replies]
    assert left[0] == 6000 - 1000 - 5
    assert left[1] == pytest.approx(left[0], abs=1)
