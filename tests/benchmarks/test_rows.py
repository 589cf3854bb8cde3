"""Every row of the table can be measured; its long form is run on demand."""

from math import isfinite
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import ROWS, SMOKE_SHARE, report
from tests.benchmarks.measure import Spread
from tests.benchmarks.rows import Outcome, Row, Size

_SMOKE = Size(rounds=1, share=SMOKE_SHARE)
_QUICK = ("immediate", "slope", "scan", "report", "check", "first-token")
"""Of requests and of files, and none that waits for answers."""


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.name in _QUICK], ids=lambda row: row.name
)
def test_a_row_can_be_measured(row: Row, tmp_path: Path) -> None:
    """With few jobs it gives a ratio and the figures behind it."""
    outcome = row.measure(tmp_path, _SMOKE)
    # Of so few the cost of one more is lost in the noise, and may even seem to be below zero.
    assert outcome.ratio is not None
    assert isfinite(outcome.ratio.median)
    assert row.name == "slope" or outcome.ratio.median > 0
    assert outcome.said
    assert row.name in report(row, outcome)


def test_what_was_not_measured_has_no_figure() -> None:
    """A tool that cannot be had is said to be missing, and a bound is not met by nothing."""
    outcome = Outcome(ratio=None, said=("it names no file",))
    told = Row(name="r", about="a", bound=None, measure=lambda _folder, _size: outcome)
    assert report(told, outcome) == "r: not measured\n  a\n  it names no file\n"
    bound = Row(name="r", about="a", bound=0.5, measure=told.measure)
    assert told.held(outcome)
    assert not bound.held(outcome)


def test_a_bound_that_is_missed_is_said() -> None:
    """The table says which bound was not met, in either direction."""
    outcome = Outcome(ratio=Spread(1.0, 1.0, 1.0))
    row = Row(name="r", about="a", bound=0.5, measure=lambda _folder, _size: outcome)
    assert "at most 0.5: NOT MET" in report(row, outcome)
    other = Row(name="r", about="a", bound=0.5, measure=row.measure, at_least=True)
    assert "NOT MET" not in report(other, outcome)
