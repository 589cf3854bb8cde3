"""Money: what is spent and held never passes the limit, and nearly all of it can be spent."""

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.pace.budget import Budget, Reservation

FEW = settings(max_examples=100, deadline=None, derandomize=True, database=None)
AMOUNT = st.integers(0, 200)


def test_it_starts_with_what_is_recorded() -> None:
    """What an earlier run spent counts, what nobody knows of it at its worst."""
    budget = Budget(100, spent=60, unknown=10)
    assert (budget.spent, budget.unknown, budget.held, budget.left) == (60, 10, 0, 40)
    assert budget.admit(40)
    assert not budget.admit(41)


def test_what_is_in_flight_counts_at_its_worst() -> None:
    """A second request fits only beside the worst case of the first."""
    budget = Budget(100)
    first = budget.reserve(60)
    assert not budget.admit(41)
    assert not budget.exhausted(41)
    budget.settle(first, 10)
    assert (budget.spent, budget.held, budget.left) == (10, 0, 90)
    assert budget.admit(90)


@pytest.mark.parametrize(
    ("cost", "spent", "unknown"),
    [(25, 25, 0), (0, 0, 0), (None, 60, 60)],
)
def test_settling(cost: int | None, spent: int, unknown: int) -> None:
    """A known cost counts as it is; an unknown one at its worst case, and is told apart."""
    budget = Budget(100)
    budget.settle(budget.reserve(60), cost)
    assert (budget.spent, budget.unknown, budget.held) == (spent, unknown, 0)


def test_a_server_that_charges_more_than_possible_is_still_counted() -> None:
    """Past the limit nothing is left, nothing is admitted, and nothing is negative."""
    budget = Budget(100)
    budget.settle(budget.reserve(60), 130)
    assert (budget.spent, budget.left) == (130, 0)
    assert not budget.admit(0)
    assert budget.exhausted(0)


def test_at_the_limit_only_what_is_free_fits() -> None:
    """A spent budget admits nothing that may cost anything."""
    budget = Budget(100, spent=100)
    assert budget.admit(0)
    assert not budget.admit(1)
    assert budget.exhausted(1)


def test_what_does_not_fit_cannot_be_reserved() -> None:
    """Nobody can pass the limit by not asking first, nor make room with less than nothing."""
    budget = Budget(100)
    for worst in (101, -1):
        with pytest.raises(ValueError, match="admitted"):
            budget.reserve(worst)
    assert budget.held == 0


def test_a_reservation_is_settled_once() -> None:
    """A second time would give the same money back again."""
    budget = Budget(100)
    reservation = budget.reserve(60)
    budget.settle(reservation, 5)
    with pytest.raises(ValueError, match="once"):
        budget.settle(reservation, 5)
    assert (budget.spent, budget.held) == (5, 0)


@FEW
@given(
    limit=st.integers(0, 2000),
    jobs=st.lists(st.tuples(AMOUNT, st.none() | st.floats(0, 1)), max_size=60),
    seed=st.integers(),
)
def test_the_limit_holds_for_every_order_of_answers(
    limit: int, jobs: list[tuple[int, float | None]], seed: int
) -> None:
    """Whatever ends first and costs what it may: spent and held never pass the limit."""
    chance, budget = Random(seed), Budget(limit)
    out: list[tuple[Reservation, int | None]] = []
    known = guessed = 0
    for worst, share in jobs:
        if budget.admit(worst):
            out.append((budget.reserve(worst), None if share is None else int(worst * share)))
        elif not out:
            assert budget.exhausted(worst)
        assert budget.spent + budget.held <= limit
        while out and chance.random() < 0.5:
            reservation, cost = out.pop(chance.randrange(len(out)))
            budget.settle(reservation, cost)
            known += cost or 0
            guessed += reservation.worst if cost is None else 0
            assert budget.spent + budget.held <= limit
            assert (budget.spent, budget.unknown) == (known + guessed, guessed)
    assert budget.held == sum(reservation.worst for reservation, _ in out)


def endless(chance: Random, most: int) -> Iterator[tuple[int, int]]:
    """Jobs of random worst case and cost, without end."""
    while True:
        worst = chance.randint(1, most)
        yield worst, chance.randint(0, worst)


@FEW
@given(limit=st.integers(0, 3000), most=st.integers(5, 300), seed=st.integers())
def test_nearly_all_of_it_can_be_spent(limit: int, most: int, seed: int) -> None:
    """Where jobs suffice, less than one worst case is left over."""
    chance, budget = Random(seed), Budget(limit)
    out: list[tuple[Reservation, int]] = []
    for worst, cost in endless(chance, most):
        while not budget.admit(worst) and out:
            budget.settle(*out.pop(chance.randrange(len(out))))
        if not budget.admit(worst):
            assert budget.exhausted(worst)
            break
        out.append((budget.reserve(worst), cost))
    assert limit - most < budget.spent <= limit
    assert budget.held == 0


def test_near_the_end_it_goes_down_to_one_in_flight() -> None:
    """What fits beside each other gets less with every answer, and is one request at last."""
    budget, out, beside = Budget(100), list[Reservation](), list[int]()
    while not budget.exhausted(10):
        while budget.admit(10):
            out.append(budget.reserve(10))
        beside.append(len(out))
        budget.settle(out.pop(), 3)
    assert beside == sorted(beside, reverse=True)
    assert (beside[0], beside[-1]) == (10, 1)
    assert 90 < budget.spent <= 100
