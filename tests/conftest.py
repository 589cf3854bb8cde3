"""What every test shares."""

import signal

import pytest
from hypothesis import settings

settings.register_profile("runner", deadline=None)  # a busy machine is no failure
settings.load_profile("runner")


def pytest_configure() -> None:
    """Hear Ctrl-C and hang-ups even where a shell or `nohup` made the tests deaf to them.

    What is ignored here would be ignored by every process that a test starts and stops.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio only: aiofiles knows no other loop."""
    return "asyncio"
