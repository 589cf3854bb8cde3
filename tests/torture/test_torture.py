"""The short forms of the harnesses. `python -m tests.torture NAME --long` runs a long one."""

from pathlib import Path

import pytest

from tests.torture.disk import CannotMountError
from tests.torture.harnesses import HARNESSES


@pytest.mark.parametrize("name", HARNESSES)
def test_nothing_is_lost_paid_twice_or_shown(name: str, tmp_path: Path) -> None:
    """Each harness finds every promise kept."""
    try:
        report = HARNESSES[name](tmp_path / name, long=False, seed=1)
    except CannotMountError as error:
        pytest.skip(str(error))
    assert not report.broken, report.text()
