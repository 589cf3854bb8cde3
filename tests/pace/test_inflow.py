"""What a server lets in while it refuses, as `Inflow` counts it."""

import pytest

from runner.pace.inflow import Inflow


def test_what_flows_in_between_two_refusals() -> None:
    """Only what is let in after a first refusal counts, over three seconds at least."""
    inflow = Inflow()
    inflow.refused(10.0, 600)
    assert inflow.rate == 0.0
    inflow.refused(12.0, 20)
    assert inflow.rate == 0.0
    inflow.refused(14.0, 20)
    assert inflow.rate == 10.0


def test_the_fastest_flow_is_kept_for_a_while() -> None:
    """A slower flow does not replace a faster one at once, but in the course of minutes."""
    inflow = Inflow()
    inflow.refused(0.0, 0)
    inflow.refused(4.0, 40)
    inflow.refused(8.0, 10)
    assert inflow.rate == pytest.approx(10.0, rel=0.02)
    inflow.refused(608.0, 1_200)
    assert inflow.rate == pytest.approx(2.0)


def test_few_requests_are_no_flow() -> None:
    """Eight have to be let in before a flow is believed."""
    inflow = Inflow()
    inflow.refused(0.0, 0)
    inflow.refused(20.0, 7)
    assert inflow.rate == 0.0
    inflow.refused(21.0, 1)
    assert inflow.rate == pytest.approx(8 / 21)
    inflow.forget()
    assert inflow.rate == 0.0
