"""`python -m tests.benchmarks.pace [--smoke]`: `runner` beside other tools at limited accounts.

All tools run at the same time, each with a server of its own, so that the machine treats them
alike. Ratios are what counts.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.peers import Tool, install_batchllm, tools
from tests.processes.running import environment, pointing_at
from tests.simulated import stats
from tests.torture.pace_cases import Account, account_of_requests, account_of_tokens
from tests.torture.pace_play import CAP, server, write_jobs

_PATIENCE_S = 1_800


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one tool made of one account."""

    tool: str
    seconds: float
    calls: int
    refused: int
    failed: int
    """Jobs without an answer."""


def compare(folder: Path, account: Account, competing: list[Tool]) -> list[Row]:
    """Let all tools answer the same jobs at accounts of the same kind."""
    with ThreadPoolExecutor(len(competing)) as pool:
        rows = [
            pool.submit(_measure, folder / str(number), account, tool)
            for number, tool in enumerate(competing)
        ]
        return [row.result() for row in rows]


def table(account: Account, rows: list[Row]) -> str:
    """Write the figures, and the ratios to the first row's."""
    first = rows[0]
    lines = [f"{account.name}, {account.jobs} jobs, no options for their pace"]
    lines.append(f"  {'':42}{'wall s':>9}{'calls':>8}{'refused':>9}{'failed':>8}   ratios")
    for row in rows:
        figures = f"{row.seconds:9.1f}{row.calls:8}{row.refused:9}{row.failed:8}"
        ratios = (
            f"{row.seconds / first.seconds:5.2f} x time, {row.calls / first.calls:5.2f} x calls"
        )
        lines.append(f"  {row.tool:42}{figures}   {ratios}")
    return "\n".join(lines) + "\n"


def _measure(folder: Path, account: Account, tool: Tool) -> Row:
    with server(folder, account.scenario(seed=1)) as endpoints:
        jobs = folder / "jobs.jsonl"
        write_jobs(jobs, range(account.jobs), account.prompt_tokens)
        began = time.monotonic()
        done = subprocess.run(
            tool.call(jobs, CAP),
            cwd=folder,
            env=environment(folder, pointing_at(endpoints)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,  # some end with an error where jobs failed; they are counted
        )
        seconds = time.monotonic() - began
        seen = stats(endpoints)
    assert seen["requests"], f"{tool.name} asked nothing: {done.stderr.decode()}"
    return Row(
        tool=tool.name,
        seconds=seconds,
        calls=seen["requests"],
        refused=seen["refusals"],
        failed=account.jobs - seen["completed"],
    )


def main() -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a few seconds, installing nothing")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="runner-benchmark-") as temporary:
        folder, batchllm = Path(temporary), None
        if not asked.smoke:
            installed = install_batchllm(folder / "batchllm")
            batchllm = installed if isinstance(installed, Path) else None
            if batchllm is None:
                sys.stdout.write(f"{installed}\n")
        accounts = [account_of_requests(600, 400), account_of_tokens(100_000, 250)]
        if asked.smoke:
            accounts = [account_of_requests(1_200, 60)]
        for number, account in enumerate(accounts):
            rows = compare(folder / str(number), account, tools(batchllm))
            sys.stdout.write(table(account, rows))
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
