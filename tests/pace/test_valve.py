"""The valve: opens while it is used, closes where the server says so, and knows why."""

from random import Random

import pytest

from runner.pace.valve import MOST, Outcome, Valve


def turn(
    valve: Valve, now: float, seconds: float = 1.0, outcome: Outcome = "ok", tokens: float = 60.0
) -> float:
    """Let one full round trip pass with every request ending in the same way."""
    tickets = [valve.started(now) for _ in range(valve.ceiling - valve.in_flight)]
    for number, ticket in enumerate(tickets):
        spread = 0.2 * number / len(tickets)
        valve.ended(ticket, now + seconds * (1 + spread), outcome, tokens * (1 + spread))
    return now + 1.2 * seconds


@pytest.mark.parametrize(
    ("most", "system", "ceiling", "why"),
    [
        (None, None, 20, "start"),
        (None, 7, 7, "system"),
        (64, None, 32, "start"),
        (5000, None, 156, "start"),
        (5, None, 5, "-c"),
        (64, 10, 10, "system"),
    ],
)
def test_starts_low(most: int | None, system: int | None, ceiling: int, why: str) -> None:
    """It begins below every bound, and tells which one it has reached."""
    valve = Valve(0.0, most=most, system=system)
    assert (valve.ceiling, valve.why) == (ceiling, why)


def test_opens_while_it_pays() -> None:
    """Ten round trips without trouble take it to its bound, and it stays there."""
    valve, now = Valve(0.0), 0.0
    for _ in range(10):
        now = turn(valve, now)
    assert (valve.ceiling, valve.why, valve.peak) == (MOST, "system", MOST)


def test_a_person_s_bound_is_reached_and_kept() -> None:
    """`-c 64` means 64 after two round trips, and never 65."""
    valve, now = Valve(0.0, most=64), 0.0
    for trip in range(20):
        now = turn(valve, now)
        assert valve.ceiling <= 64
        assert trip < 1 or valve.ceiling == 64
    assert valve.why == "-c"


def test_unused_does_not_open() -> None:
    """Who never has many in flight proves nothing about more."""
    valve, now = Valve(0.0), 0.0
    for _ in range(200):
        tickets = [valve.started(now) for _ in range(10)]
        now += 1.0
        for ticket in tickets:
            valve.ended(ticket, now, "ok", 60.0)
    assert valve.ceiling == 20


def test_an_episode_cuts_once() -> None:
    """All that were out when it was refused tell the same thing: one cut."""
    valve = Valve(0.0)
    tickets = [valve.started(0.0) for _ in range(20)]
    valve.ended(tickets[-1], 0.1, "refused")
    after = valve.ceiling
    assert 17 <= after < 20
    assert valve.why == "server"
    for ticket in tickets[-3:-1]:
        valve.ended(ticket, 0.15, "refused")
    assert after - 2 <= valve.ceiling <= after


def test_a_second_episode_soon_cuts_more() -> None:
    """Refused again at once, it gives up more: the wall is not where it seemed."""
    valve = Valve(0.0)
    now = 0.0
    for _ in range(3):
        tickets = [valve.started(now) for _ in range(valve.ceiling)]
        for ticket in reversed(tickets):
            valve.ended(ticket, now + 0.1, "refused")
        now += 0.2
    assert valve.ceiling <= 10


def test_refused_with_few_in_flight() -> None:
    """A refusal of one of very few says nothing about how many may be out."""
    valve = Valve(0.0)
    valve.ended(valve.started(0.0), 0.1, "refused")
    assert (valve.ceiling, valve.why) == (20, "start")


@pytest.mark.parametrize(
    ("outcome", "share", "cut"),
    [
        ("failed", 0.1, False),
        ("failed", 0.3, False),
        ("failed", 0.9, True),
        ("overloaded", 0.05, False),
        ("overloaded", 0.3, True),
        ("cancelled", 1.0, False),
    ],
)
def test_failures_by_their_share(outcome: Outcome, share: float, *, cut: bool) -> None:
    """Some failures are chance; many, and few of overload already, close the valve."""
    valve, now, chance = Valve(0.0, start=100), 0.0, Random(1)
    for _ in range(20):
        for ticket in [valve.started(now) for _ in range(valve.ceiling)]:
            end: Outcome = outcome if chance.random() < share else "ok"
            valve.ended(ticket, now + 1.0, end, 60.0 if end == "ok" else None)
        now += 1.0
        assert valve.ceiling >= 100 or cut
    assert (valve.ceiling < 100) == cut


def test_opens_again_after_an_outage() -> None:
    """When all is well again, it does not crawl."""
    valve, now = Valve(0.0), 0.0
    for _ in range(10):
        now = turn(valve, now)
    for _ in range(30):
        now = turn(valve, now, 0.1, "overloaded")
    assert valve.ceiling < 20
    until = now + 120.0
    while now < until:
        now = turn(valve, now)
    assert valve.ceiling >= 500


def test_a_known_rate_is_not_held_up() -> None:
    """Where the limiter knows the rate, as many may be out as that needs, and some more."""
    valve = Valve(0.0)
    valve.rate_known(50.0)
    tickets = [valve.started(0.0) for _ in range(10)]
    for ticket in tickets:
        valve.ended(ticket, 2.0, "ok", 100.0)
    assert 140 <= valve.ceiling <= 160


def test_long_answers_are_not_waited_for() -> None:
    """Where nothing comes back for long, it opens all the same, but not far."""
    valve = Valve(0.0)
    for second in range(120):
        while valve.may_start:
            valve.started(float(second))
        valve.advance(float(second))
    assert valve.ceiling == 128


def test_given_back_once() -> None:
    """A ticket that comes back twice is a mistake that is told."""
    valve = Valve(0.0)
    ticket = valve.started(0.0)
    valve.ended(ticket, 1.0, "ok", 1.0)
    with pytest.raises(ValueError, match="only once"):
        valve.ended(ticket, 1.0, "ok", 1.0)
    assert valve.in_flight == 0


@pytest.mark.parametrize("seed", range(20))
def test_within_bounds_whatever_happens(seed: int) -> None:
    """Whatever comes back, and when: one may always start, and never more than the bound."""
    chance = Random(seed)
    most = chance.choice([None, 1, 2, 50, 300])
    valve, now, out = Valve(0.0, most=most), 0.0, []
    outcomes: list[Outcome] = ["ok", "refused", "overloaded", "failed", "cancelled"]
    weights = [chance.random() + (end == "ok") for end in outcomes]
    for _ in range(3000):
        now += chance.expovariate(20)
        if valve.may_start and chance.random() < 0.7:
            out.append(valve.started(now))
        elif out:
            ticket = out.pop(chance.randrange(len(out)))
            tokens = chance.choice([None, 0.0, 1.0, 1e6])
            valve.ended(ticket, now, chance.choices(outcomes, weights)[0], tokens)
        valve.advance(now)
        assert 1 <= valve.ceiling <= (most or MOST)
    assert valve.in_flight == len(out)


def test_refused_by_chance() -> None:
    """Refused where as many or more were let in a moment ago, it is no matter of how many."""
    valve, now, chance = Valve(0.0), 0.0, Random(1)
    for _ in range(60):
        for ticket in [valve.started(now) for _ in range(valve.ceiling)]:
            end: Outcome = "refused" if chance.random() < 0.1 else "ok"
            valve.ended(ticket, now + 1.0, end, 60.0)
        now += 1.0
    assert valve.ceiling >= 500


def test_grows_from_one() -> None:
    """However far it had to close, it opens again when a wall is gone."""
    valve = Valve(0.0)
    now = 0.0
    while valve.ceiling > 1:
        tickets = [valve.started(now) for _ in range(valve.ceiling)]
        for ticket in reversed(tickets):
            valve.ended(ticket, now + 0.1, "refused")
        now += 0.2
    for _ in range(120):
        now = turn(valve, now)
    assert valve.ceiling >= 500


def test_a_run_of_bad_luck_is_no_wall() -> None:
    """Where refusals are taken for chance, a dozen more have to speak for a wall."""
    valve = Valve(0.0)
    ceiling = valve.ceiling
    for at in range(12):
        assert valve.ceiling == ceiling
        tickets = [valve.started(at / 10) for _ in range(ceiling)]
        valve.ended(tickets.pop(), at / 10 + 0.05, "unlucky")
        for ticket in tickets:
            valve.ended(ticket, at / 10 + 0.05, "cancelled")
    assert valve.ceiling < ceiling


def test_more_are_let_out_before_the_first_answer() -> None:
    """Eight more a second while nothing has come back; none once something was refused."""
    valve = Valve(0.0, start=6)
    for _ in range(20):
        valve.advance(0.5)
    assert valve.ceiling == 6
    valve.advance(1.0)
    valve.advance(2.0)
    assert valve.ceiling == 22
    valve.ended(valve.started(2.0), 2.1, "refused")
    ceiling = valve.ceiling
    valve.advance(3.0)
    assert valve.ceiling == ceiling
