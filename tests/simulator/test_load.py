"""A server under load: it slows down, its limits change, and it keeps the books to judge by."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from runner.simulator.ask import read_ask
from runner.simulator.limits import Limiter, LimitReachedError
from runner.simulator.loading import ScenarioError, parse
from runner.simulator.plan import make_plan
from runner.simulator.scenario import LaterLimits, Limits, LimitsChange
from tests.simulated import Endpoints, reset_stats, scenario_file, simulator_in_thread, stats
from tests.simulator.asking import Reply, body_for, connect, post


class HandClock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def change_limits(endpoints: Endpoints, body: Any) -> tuple[int, Any]:
    """Ask a running simulator for other limits."""
    connection = connect(endpoints)
    try:
        connection.request("POST", "/control/limits", json.dumps(body).encode())
        answer = connection.getresponse()
        return answer.status, json.load(answer)
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("slowdown", "in_flight", "factor"),
    [("2.0", 1, 1), ("2.0", 10, 1), ("2.0", 20, 4), ("1", 30, 3), ("0", 30, 1)],
)
def test_slows_down(slowdown: str, in_flight: int, factor: float) -> None:
    """Beyond its full speed both the first token and every other take longer."""
    text = "[speed]\nfirst_token_s = 0.5\njitter = 0\ntokens_per_second = 100\n"
    text += f"full_speed_in_flight = 10\nslowdown = {slowdown}\n"
    plan = make_plan(parse(text, "x"), read_ask("chat", body_for("chat")), 1).beside(in_flight)
    assert plan.first_token_s == pytest.approx(0.5 * factor)
    assert plan.tokens_per_second == pytest.approx(100 / factor)


def test_slow_together(tmp_path: Path) -> None:
    """Four at once take four times as long as one where full speed is for one."""
    text = "[speed]\nfirst_token_s = 0.2\njitter = 0\ntokens_per_second = 1e6\n"
    text += "full_speed_in_flight = 1\n"

    def ask(number: int) -> Reply:
        return post(endpoints, "chat", body_for("chat", f"number {number}"))

    with simulator_in_thread(scenario_file(tmp_path, text)) as endpoints:
        alone = _seconds(lambda: ask(0))
        with ThreadPoolExecutor(4) as pool:
            together = _seconds(lambda: list(pool.map(ask, range(1, 5))))
    assert 0.2 <= alone < 0.5
    assert 0.8 <= together < 1.6


def _seconds(call: Callable[[], object]) -> float:
    begun = time.monotonic()
    call()
    return time.monotonic() - begun


def test_changes_name_all_limits() -> None:
    """Every limit may be changed in mid-run."""
    assert LimitsChange.__struct_fields__ == Limits.__struct_fields__
    assert LaterLimits.__struct_fields__ == (*Limits.__struct_fields__, "seconds")


def test_limits_change_in_mid_run() -> None:
    """A change holds from its moment after the first request, and refills count piecewise."""
    clock = HandClock()
    limiter = Limiter(
        Limits(requests_per_minute=60),
        clock,
        [
            LaterLimits(seconds=20, max_concurrency=5),
            LaterLimits(seconds=10, requests_per_minute=30),
        ],
    )
    clock.now += 1000  # waiting for the first request does not count
    limiter.admit(1, 1)
    clock.now += 10
    limiter.admit(1, 1)
    assert limiter.gauges()["requests"].limit == 30
    clock.now += 10
    limiter.admit(1, 1)
    clock.now += 10
    limiter.admit(1, 1)
    clock.now += 10
    limiter.admit(1, 1)
    clock.now += 10
    with pytest.raises(LimitReachedError, match="concurrent"):
        limiter.admit(1, 1)
    book = limiter.book()["requests"]
    assert book["permitted"] == pytest.approx(1 + 10 + 30 * 0.5)
    assert (book["first_s"], book["last_s"], book["used"]) == (1000, 1040, 5)


def test_book_of_tokens() -> None:
    """What is given back was not used; what a refusal costs is told apart."""
    clock = HandClock()
    limits = Limits(requests_per_minute=60, tokens_per_minute=6000, count_refusals=True)
    limiter = Limiter(limits, clock)
    assert limiter.book()["tokens"]["first_s"] is None
    charge = limiter.admit(100, 400)
    with pytest.raises(LimitReachedError):
        limiter.admit(100, 400)
    limiter.settle(charge, 100, 50)
    clock.now += 6
    limiter.settle(limiter.admit(300, 10), 300, 10)
    requests, tokens = limiter.book()["requests"], limiter.book()["tokens"]
    assert tokens["used"] == 150 + 310
    assert tokens["permitted"] == pytest.approx(600 + 600)
    assert (requests["used"], requests["used_by_refusals"]) == (2, 1)
    limiter.reset_book()
    assert limiter.book()["tokens"]["used"] == 0
    clock.now += 1
    limiter.settle(limiter.admit(10, 10), 10, 10)
    assert limiter.book()["tokens"]["permitted"] == pytest.approx(600 - 310 + 100)


def test_limits_come_and_go() -> None:
    """A limit that comes in mid-run is not given back what it never took; null takes one away."""
    limiter = Limiter(Limits(), HandClock())
    charge = limiter.admit(100, 5000)
    limiter.change(LimitsChange(tokens_per_minute=600, token_burst_s=60))
    limiter.settle(charge, 100, 50)
    assert limiter.gauges()["tokens"].remaining == 600
    assert limiter.book()["tokens"]["used"] == 0
    limiter.change(LimitsChange(tokens_per_minute=None))
    assert limiter.gauges() == {}


def test_limits_change_on_request(tmp_path: Path) -> None:
    """`POST control_url/limits` changes what it names, and says what it does not understand."""
    text = "[limits]\nrequests_per_minute = 6000\n"
    with simulator_in_thread(scenario_file(tmp_path, text)) as endpoints:
        status, told = change_limits(endpoints, {"requests_per_minute": 1})
        assert (status, told["buckets"]["requests"]["per_minute"]) == (200, 1)
        replies = [post(endpoints, "chat", body_for("chat")).status for _ in range(2)]
        assert replies == [200, 429]
        assert change_limits(endpoints, {"request_per_minute": 1})[0] == 400
        status, told = change_limits(endpoints, {"requests_per_minute": None})
        assert (status, told["buckets"]) == (200, {})
        assert post(endpoints, "chat", body_for("chat")).status == 200


def test_scenario_of_later_limits() -> None:
    """A mistake in `[[limits_after]]` is told with its key."""
    found = parse("[[limits_after]]\nseconds = 90\nrequests_per_minute = 300\n", "x")
    assert found.limits_after[0].requests_per_minute == 300
    with pytest.raises(ScenarioError, match=r"limits_after\[0\]\.second; did you mean seconds"):
        parse("[[limits_after]]\nsecond = 90\n", "x")


def test_tokens_by_model(tmp_path: Path) -> None:
    """Each model's tokens are counted, those of answers that broke off apart."""
    text = "[answer]\nreasoning_tokens = 3\n[[rules]]\nmodel = 'bad'\n"
    text += "fault = { kind = 'truncate', after_tokens = 5 }\n"
    with simulator_in_thread(scenario_file(tmp_path, text)) as endpoints:
        usage = [
            post(endpoints, "chat", body_for("chat", f"job {n}", model="good")).json()["usage"]
            for n in range(2)
        ]
        post(endpoints, "chat", body_for("chat", model="bad", stream=True))
        counts = stats(endpoints)["by_model"]
        reset_stats(endpoints)
        assert stats(endpoints)["by_model"] == {}
    assert counts["good"] == {
        "completed": 2,
        "input_tokens": sum(one["prompt_tokens"] for one in usage),
        "output_tokens": sum(one["completion_tokens"] for one in usage),
        "reasoning_tokens": 6,
        "cached_tokens": 0,
        "cache_write_tokens": 0,
    }
    assert counts["bad"] == {
        "broken_off": 1,
        "broken_input_tokens": 5,
        "broken_output_tokens": 5,
    }
