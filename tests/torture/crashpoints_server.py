"""A warm process that forks runs, and the simulator that is theirs alone."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.processes.running import environment, pointing_at
from tests.simulated import Endpoints, reset_stats, simulator, wait_for_stats
from tests.torture.crashpoints_cases import CONCURRENCY, Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a run ended."""

    code: int
    seen: int
    """Changes to files, up to the one that was struck."""
    fired: bool
    what: str
    """The change that was struck."""
    said: str


@dataclass(slots=True)
class Server:
    """Carries out one run at a time."""

    process: subprocess.Popen[str]
    endpoints: Endpoints

    def run(
        self, folder: Path, case: Case, options: tuple[str, ...], at: int = 0, how: str = ""
    ) -> Run:
        """Run a batch to its end, struck at a point or, with 0, not at all."""
        where = ["-", "-o", "jobs.results.jsonl"] if case.stdin else ["jobs.jsonl"]
        said = folder.parent / f"{folder.name}.said"
        order = {
            "folder": str(folder.resolve()),
            "arguments": ["batch", *where, *CONCURRENCY, *options],
            "said": str(said),
            "stdin": (folder / "jobs.jsonl").read_text("utf-8") if case.stdin else None,
            "at": at,
            "how": how,
            "worth_rows": 1 if case.checkpoint else None,
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        words = said.read_text("utf-8", "replace")
        said.unlink()
        return Run(said=words, **answer)

    def forget(self) -> None:
        """Let the simulator count from zero."""
        reset_stats(self.endpoints)

    def requests(self) -> int:
        """Count the requests, once none is under way."""
        seen = wait_for_stats(self.endpoints, lambda found: found["in_flight"] == 0)
        return sum(seen["by_hash"].values())


@contextmanager
def server(folder: Path, scenario: Path) -> Iterator[Server]:
    """Start a warm process and its simulator."""
    root = Path(__file__).resolve().parents[2]
    with simulator(scenario) as endpoints:
        env = environment(folder, {**pointing_at(endpoints), "PYTHONPATH": str(root)})
        with subprocess.Popen(
            [sys.executable, "-m", "tests.torture.crashpoints_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=env,
            cwd=folder,
        ) as process:
            yield Server(process, endpoints)
            assert process.stdin is not None
            process.stdin.close()
