"""What every test shares."""

import signal

import pytest


def pytest_configure() -> None:
    """Hear Ctrl-C even where a shell started the tests in the background, deaf to it.

    What is ignored here would be ignored by every process that a test starts and stops.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio only: aiofiles knows no other loop."""
    return "asyncio"
