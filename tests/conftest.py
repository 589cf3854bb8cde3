"""What every test shares."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio only: aiofiles knows no other loop."""
    return "asyncio"
