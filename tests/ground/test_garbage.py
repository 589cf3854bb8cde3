"""The garbage collector is held off while modules are imported, and spares what is there then."""

import gc
from collections.abc import Iterator

import pytest

from runner import garbage


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave the collector as it was."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)
    gc.enable()


def test_what_an_import_makes_is_never_looked_at_again() -> None:
    """Many objects that were made while it was held off are set aside; then it works on."""
    garbage.hold_off()
    assert not gc.isenabled()
    made = [[number] for number in range(30_000)]
    garbage.settle()
    assert gc.isenabled()
    assert gc.get_freeze_count() >= len(made)


def test_a_few_objects_stay_in_its_sight() -> None:
    """Where little was made, nothing is set aside, garbage included."""
    gc.collect()
    garbage.hold_off()
    garbage.settle()
    assert gc.get_freeze_count() == 0
