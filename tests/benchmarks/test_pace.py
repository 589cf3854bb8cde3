"""The comparison itself works; its long form is run on demand."""

from pathlib import Path

from tests.benchmarks.pace import compare, table
from tests.benchmarks.peers import tools
from tests.torture.pace_cases import account_of_requests


def test_tools_are_compared(tmp_path: Path) -> None:
    """Each tool's calls and failures are counted by its own server, and runner fails no job."""
    account = account_of_requests(1_200, 30)
    rows = compare(tmp_path, account, tools(None))
    assert [row.tool for row in rows] == [tool.name for tool in tools(None)]
    assert rows[0].failed == 0
    assert all(row.calls >= account.jobs - row.failed for row in rows)
    assert f"{account.jobs} jobs" in table(account, rows)
