"""What every test shares."""

import signal

import pytest
from hypothesis import settings

settings.register_profile("runner", deadline=None)  # a busy machine is no failure
settings.load_profile("runner")


_FOLDERS = ("torture", "docs", "processes", "workers", "distribution", "browser", "lanes", "wire")
_LONGEST_FIRST = {folder: place for place, folder in enumerate(_FOLDERS)}


def pytest_configure() -> None:
    """Hear Ctrl-C and hang-ups even where a shell or `nohup` made the tests deaf to them.

    What is ignored here would be ignored by every process that a test starts and stops.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that the processes which share the tests end together."""
    items.sort(key=lambda item: _LONGEST_FIRST.get(item.nodeid.split("/")[1], len(_LONGEST_FIRST)))


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio only: aiofiles knows no other loop."""
    return "asyncio"
