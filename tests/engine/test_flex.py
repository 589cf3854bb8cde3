"""The flex lane in the engine: what is asked for, what a lack of room does, what is recorded."""

from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from runner.engine.outcome import Recording
from runner.engine.retry import RetryPolicy
from runner.errors import ProviderError
from runner.events import RetryScheduled
from runner.models import Completion, Job, Usage
from runner.settings import Deadlines
from tests.engine.fakes import Answer, Bench, FakeProvider, job, whole

pytestmark = pytest.mark.anyio

ONCE = RetryPolicy(max_attempts=1)


def price(_: Job, usage: Usage, lane: str, told: str | None) -> float | None:
    """Tell with what it was asked by the price itself."""
    return {("flex", "flex"): 1.0, ("flex", "default"): 2.0, ("live", "default"): 2.0}.get(
        (lane, told or "")
    )


class TierProvider(FakeProvider):
    """Puts the tier into the prompt, so that answers can depend on it."""

    def body(self, model: str, request: Any, *, stream: bool) -> dict[str, Any]:
        tier = request.params.get("service_tier")
        return {"model": model, "messages": [{"content": str(tier)}]}


def bench(answer: Answer, **settings: Any) -> Bench:
    """A shard in the flex lane."""
    recording = Recording(run_id="run", lane="flex", price=price)
    return Bench(TierProvider(answer), recording=recording, **{"fallback": True, **settings})


def no_room(**facts: Any) -> ProviderError:
    """What OpenAI says where flex has no capacity."""
    facts = {"http_status": 429, "code": "resource_unavailable", **facts}
    return ProviderError("overloaded", "no capacity", retryable=True, **facts)


def full(prompt: str, _: int) -> Completion | ProviderError:
    """Have room at the standard tier alone."""
    return no_room() if prompt == "flex" else replace(whole("yes"), service_tier="default")


async def test_flex_is_asked_for_and_recorded() -> None:
    """The body says flex; what the response names is the lane of record and attempt."""
    made = bench(lambda _prompt, _number: replace(whole("yes"), service_tier="flex"))
    found = (await made.run([job("p")]))["p"]
    assert made.provider.asked == {"flex": 1}
    assert (found.lane, found.cost_usd) == ("flex", 1.0)
    assert [attempt.lane for attempt in found.attempts] == ["flex"]


async def test_an_answer_at_the_default_tier_is_live() -> None:
    """Where the server serves a flex request at the standard tier, lane and price say so."""
    made = bench(lambda _prompt, _number: replace(whole("yes"), service_tier="default"))
    found = (await made.run([job("p")]))["p"]
    assert (found.lane, found.cost_usd, found.attempts[0].lane) == ("live", 2.0, UNSET)


async def test_a_response_without_a_tier() -> None:
    """The lane is then what was asked for, and the cost unknown."""
    found = (await bench(lambda _prompt, _number: whole("yes")).run([job("p")]))["p"]
    assert (found.lane, found.cost_usd) == ("flex", None)


async def test_no_room_falls_back_at_once() -> None:
    """The standard tier is asked without a wait, and no try is spent on it."""
    made = bench(full, policy=ONCE)
    found = (await made.run([job("p")]))["p"]
    assert made.provider.asked == {"flex": 1, "None": 1}
    assert (found.status, found.lane, found.cost_usd) == ("succeeded", "live", 2.0)
    assert [(one.outcome, one.lane, one.cost_usd) for one in found.attempts] == [
        ("overloaded", "flex", 0.0),
        ("ok", UNSET, 2.0),
    ]
    (again,) = made.of(RetryScheduled)
    assert isinstance(again, RetryScheduled)
    assert (again.falls_back, again.delay_s) == (True, 0.0)


async def test_without_fallback_it_is_tried_again_as_flex() -> None:
    """Never at the standard tier: after the last try the failure says overloaded, worth a retry."""
    made = bench(full, fallback=False, policy=RetryPolicy(max_attempts=3, base_s=0.0))
    found = (await made.run([job("p")]))["p"]
    assert made.provider.asked == {"flex": 3}
    assert found.error is not None
    assert (found.status, found.lane, found.cost_usd) == ("failed", "flex", 0.0)
    assert (found.error.kind, found.error.retryable) == ("overloaded", True)
    assert not any(isinstance(e, RetryScheduled) and e.falls_back for e in made.events)


@pytest.mark.parametrize("own", ["flex", "priority", "default"])
async def test_a_tier_of_the_jobs_own_stands(own: str) -> None:
    """It is sent as it is, and no lack of room changes it."""
    asked = job("p")
    asked = replace(asked, request=replace(asked.request, params={"service_tier": own}))
    made = bench(lambda _prompt, _number: no_room(), policy=ONCE)
    found = (await made.run([asked]))["p"]
    assert made.provider.asked == {own: 1}
    assert (found.status, found.lane) == ("failed", "flex" if own == "flex" else "live")


async def test_other_failures_do_not_fall_back() -> None:
    """An overloaded server and a refusal for rate are asked again at flex."""

    def answer(_: str, number: int) -> Completion | ProviderError:
        if number == 1:
            return ProviderError("overloaded", "busy", retryable=True, http_status=503)
        if number == 2:
            return ProviderError(
                "rate_limit", "slow", retryable=True, http_status=429, retry_after_s=0.0
            )
        return replace(whole("yes"), service_tier="flex")

    made = bench(answer)
    found = (await made.run([job("p")]))["p"]
    assert made.provider.asked == {"flex": 3}
    assert found.status == "succeeded"


async def test_the_live_lane_asks_for_no_tier() -> None:
    """Without the lane nothing is put into a body, and no room is one more overload."""
    made = bench(
        lambda _prompt, number: no_room() if number == 1 else whole("yes"),
    )
    made.recording = Recording(run_id="run")
    found = (await made.run([job("p")]))["p"]
    assert made.provider.asked == {"None": 2}
    assert (found.lane, [one.lane for one in found.attempts]) == ("live", [UNSET, UNSET])


async def test_a_lack_of_room_is_no_refusal_for_rate() -> None:
    """No gate is shut, and what was turned away and fell back is no sign of load."""
    made = bench(full, concurrency=None)
    await made.run([job(f"p{n}") for n in range(200)])
    (lane,) = made.pace.lanes
    assert lane.own.refusals == 0
    assert lane.own.gate_left(0.0) == 0.0
    assert not any(lane.valve._troubles.values())


async def test_where_all_are_turned_away_few_are_sent() -> None:
    """Without a fallback and without any room the requests in flight become few."""
    made = bench(
        lambda _prompt, number: whole("yes") if number <= 200 else no_room(),
        fallback=False,
        concurrency=64,
        policy=ONCE,
    )
    await made.run([job(f"p{n}") for n in range(800)])
    (lane,) = made.pace.lanes
    assert lane.valve.ceiling <= 8


async def test_a_fallback_keeps_to_the_time_of_the_job() -> None:
    """When --job-timeout is over, the standard tier is not asked any more."""
    made = bench(full, deadlines=Deadlines(job_s=5.0))

    def late(prompt: str, number: int) -> Completion | ProviderError | float:
        made.clock.seconds += 6.0
        return full(prompt, number)

    made.provider.answer = late
    found = (await made.run([job("p")]))["p"]
    assert made.provider.asked == {"flex": 1}
    assert found.error is not None
    assert "--job-timeout" in found.error.message
