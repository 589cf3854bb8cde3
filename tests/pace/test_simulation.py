"""The limiter against simulated servers: what of the quota it uses and what it is refused."""

from dataclasses import replace

import pytest

from tests.pace.scenarios import SCENARIOS
from tests.pace.simulation import Outcome, run

_WHOLE = {"C", "D", "F", "FM", "FN", "K", "KB", "L", "MC", "P", "PA", "Q", "R"}
"""These need their full length: something happens half-way, or more has to be found out."""


def played(name: str) -> Outcome:
    """Play a scenario, most of them at half length: `python -m tests.pace` plays all of it."""
    scenario = SCENARIOS[name]
    if name not in _WHOLE:
        scenario = replace(scenario, jobs=scenario.jobs // 2)
    return run(scenario, seed=1)


@pytest.mark.parametrize(
    "name",
    [*"ABCDEGHI", "B2", *"LNQS", "MA", "MB", "MC", "MI"],
)
def test_headers_lead_to_nearly_all_of_the_quota(name: str) -> None:
    """With headers at least 99 % of the quota is used and at most 0.7 % of calls are refused."""
    outcome = played(name)
    assert outcome.use >= 0.99
    assert outcome.refused <= 0.007
    assert outcome.unfinished == 0


@pytest.mark.parametrize("name", ["F", "FB", "FM", "FN"])
def test_a_pace_is_found_without_headers(name: str) -> None:
    """Without any header at least 95 % of the quota is used and at most 4 % are refused."""
    outcome = played(name)
    assert outcome.use >= 0.95
    assert outcome.refused <= 0.04
    assert outcome.unfinished == 0


@pytest.mark.parametrize("name", ["J", "JA", "JI"])
def test_two_runs_share_a_key(name: str) -> None:
    """Two runs with one key use at least 95 % of it together, with at most 2 % refused."""
    outcome = played(name)
    assert outcome.use >= 0.95
    assert outcome.refused <= 0.02
    assert outcome.unfinished == 0


@pytest.mark.parametrize("name", ["K", "KB"])
def test_a_limit_is_halved(name: str) -> None:
    """A limit that is halved half-way costs at most 3 % of the quota and 1 % of the calls."""
    outcome = played(name)
    assert outcome.use >= 0.97
    assert outcome.refused <= 0.01
    assert outcome.unfinished == 0


@pytest.mark.parametrize("name", ["O", "OA", "P", "PA"])
def test_headers_that_lie_cost_little(name: str) -> None:
    """Where headers always show nothing left, or all, it is no worse than without any."""
    outcome = played(name)
    assert outcome.use >= 0.95
    assert outcome.refused <= 0.01
    assert outcome.unfinished == 0


@pytest.mark.parametrize("name", ["T", "TI", "TL"])
def test_long_answers_are_paced_too(name: str) -> None:
    """Where every header is half a minute old, 94 % are used, a slow start included."""
    outcome = run(SCENARIOS[name], seed=2)
    assert outcome.use >= 0.94
    assert outcome.refused <= 0.007
    assert outcome.unfinished == 0


def test_a_bucket_of_one_request_is_lived_with() -> None:
    """Where a few milliseconds decide, most of the quota is used and nothing gets stuck."""
    outcome = played("R")
    assert outcome.use >= 0.85
    assert outcome.refused <= 0.06
    assert outcome.unfinished == 0


@pytest.mark.parametrize(("name", "share"), [("X1", 0.05), ("X2", 0.1), ("X6", 0.01)])
def test_refusals_by_chance_slow_nothing_down(name: str, share: float) -> None:
    """Where a share is refused whatever is sent, 0.9 of the rest's throughput is kept."""
    free, outcome = run(SCENARIOS["X0"], seed=2), run(SCENARIOS[name], seed=2)
    assert outcome.unfinished == 0
    assert free.minutes / outcome.minutes >= 0.9 * (1 - share)


def test_a_limit_is_found_amid_refusals_by_chance() -> None:
    """With one in twenty refused by chance, 90 % of a limit are used and few more are refused."""
    outcome = run(SCENARIOS["X3"], seed=1)
    assert outcome.use >= 0.9
    assert outcome.refused <= 0.04
    assert outcome.unfinished == 0


@pytest.mark.parametrize(
    ("name", "share"), [("X7", 0.25), ("X7R", 0.25), ("X8", 0.5), ("X8R", 0.5)]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_server_that_refuses_many_by_chance_is_got_through(
    name: str, share: float, seed: int
) -> None:
    """Where a quarter or a half is refused whatever is sent, it takes at most thrice the least."""
    free, outcome = run(SCENARIOS["X0"], seed), run(SCENARIOS[name], seed)
    assert outcome.unfinished == 0
    assert outcome.minutes <= 3 * free.minutes / (1 - share)


def test_a_limit_is_found_amid_many_refusals_by_chance() -> None:
    """With one in four refused by chance, 70 % of a limit are used and few more are refused."""
    outcome = run(SCENARIOS["X3C"], seed=1)
    assert outcome.use >= 0.7
    assert outcome.refused <= 0.05
    assert outcome.unfinished == 0


@pytest.mark.parametrize("name", ["X4", "X4R"])
def test_an_outage_is_got_over_within_seconds(name: str) -> None:
    """After ten seconds in which all was refused, throughput is back 15 s later."""
    free, outcome = run(SCENARIOS["X0"], seed=1), run(SCENARIOS[name], seed=1)
    assert outcome.unfinished == 0
    assert outcome.rate(55, 85) >= 0.9 * free.rate(10, 90)
    assert outcome.refused <= 0.02
