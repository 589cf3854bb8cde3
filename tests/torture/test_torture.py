"""The short forms of the harnesses. `python -m tests.torture NAME --long` runs a long one."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.torture.harnesses import HARNESSES
from tests.torture.mounts import CannotMountError
from tests.torture.report import Report

AT_ONCE = 3
"""They wait for other processes most of the time."""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Report]]]:
    """Run all of them, a few at a time."""
    folder = tmp_path_factory.mktemp("torture")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            name: pool.submit(harness, folder / name, long=False, seed=1)
            for name, harness in HARNESSES.items()
        }


@pytest.mark.parametrize("name", HARNESSES)
def test_nothing_is_lost_paid_twice_or_shown(name: str, reports: dict[str, Future[Report]]) -> None:
    """Each harness finds every promise kept."""
    try:
        report = reports[name].result()
    except CannotMountError as error:
        pytest.skip(str(error))
    assert not report.broken, report.text()
