"""Each request takes an open file: the system's limit is raised, and kept where it is low."""

import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.pace.pace import MOST_IN_FLIGHT
from runner.run.open_files import within_system
from runner.settings import BatchSettings
from tests.processes.running import PATIENCE_S, command, environment, pointing_at, write_jobs
from tests.run.commands import settings
from tests.simulated import Endpoints, reset_stats, scenario_file, simulator, stats

SLOW = """
[answer]
min_tokens = 5
mean_tokens = 5
max_tokens = 5
[speed]
first_token_s = 0.5
jitter = 0
"""
JOBS = 100
UNLIMITED = resource.RLIM_INFINITY


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator at which many requests are in flight at once."""
    with simulator(scenario_file(tmp_path_factory.mktemp("scenario"), SLOW)) as found:
        yield found


def limited(
    folder: Path, endpoints: Endpoints, limits: str, *options: str
) -> subprocess.CompletedProcess[str]:
    """Ask all jobs under limits of a shell, as many at once as may be."""
    write_jobs(folder / "jobs.jsonl", JOBS)
    reset_stats(endpoints)
    arguments = ("batch", "jobs.jsonl", "-m", "openai/m", "--max-attempts", "1", *options)
    return subprocess.run(
        ["/bin/sh", "-c", f'{limits}; exec "$@"', "sh", *command(*arguments)],
        cwd=folder,
        env=environment(folder, pointing_at(endpoints)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_a_low_limit_is_raised(tmp_path: Path, endpoints: Endpoints) -> None:
    """A shell's `ulimit -S -n 70` keeps no more than 70 requests from being out at once."""
    done = limited(tmp_path, endpoints, "ulimit -S -n 70", "-c", str(JOBS))
    assert done.returncode == 0, done.stderr
    assert "ulimit" not in done.stderr
    assert stats(endpoints)["peak_in_flight"] > 70


def test_a_hard_limit_is_kept_and_said(tmp_path: Path, endpoints: Endpoints) -> None:
    """Where the system allows no more, -c is lowered, for all processes together, and said so."""
    done = limited(tmp_path, endpoints, "ulimit -n 100", "-c", "500", "--processes", "2")
    assert done.returncode == 0, done.stderr
    told = " ".join(done.stderr.split())
    assert "At most 72 at once, not 500: the system allows no more open files" in told
    assert stats(endpoints)["peak_in_flight"] == 72
    assert stats(endpoints)["requests"] == JOBS


class System:
    """Stands for a system's limits, which a test must not lower for good."""

    def __init__(self, soft: int, hard: int, most: int) -> None:
        self.limits = (soft, hard)
        self._most = most
        self.asked: list[int] = []

    def getrlimit(self, _: int) -> tuple[int, int]:
        """Say them."""
        return self.limits

    def setrlimit(self, _: int, limits: tuple[int, int]) -> None:
        """Raise them, so far as this system does."""
        self.asked.append(limits[0])
        if limits[0] == UNLIMITED or limits[0] > self._most:
            raise ValueError("not allowed to exceed maximum limit")
        self.limits = limits


def within(
    monkeypatch: pytest.MonkeyPatch, system: System, wanted: int | None, processes: int = 1
) -> BatchSettings:
    """Fit a run into a system."""
    monkeypatch.setattr(resource, "getrlimit", system.getrlimit)
    monkeypatch.setattr(resource, "setrlimit", system.setrlimit)
    return within_system(settings("jobs.jsonl", concurrency=wanted, processes=processes))


@pytest.mark.parametrize(
    ("system", "soft"),
    [
        (System(256, UNLIMITED, 10_240), 10_240),  # macOS: less than it says
        (System(1024, 524_288, 1 << 30), 524_288),
        (System(1024, UNLIMITED, 1 << 30), 1 << 20),
        (System(UNLIMITED, UNLIMITED, 1 << 30), UNLIMITED),
        (System(1024, 1 << 30, 1 << 30), 1 << 20),
        (System(4096, 4096, 4096), 4096),
        (System(200_000, 4_000_000, 100_000), 200_000),
    ],
)
def test_the_limit_of_any_system(
    system: System, soft: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is raised to what is plenty, or so far as a system lets it be; it is never lowered."""
    found = within(monkeypatch, system, None)
    assert system.limits[0] == soft
    allowed = 1 << 20 if soft == UNLIMITED else soft
    assert found.most_in_flight == min(MOST_IN_FLIGHT, allowed - 64)
    assert found.concurrency is None
    assert found.concurrency_wanted is None


@pytest.mark.parametrize(
    ("limit", "processes", "wanted", "given"),
    [(100, 1, 36, 36), (100, 1, 37, 36), (100, 2, 73, 72), (10, 1, 5, 1), (10, 3, 5, 3)],
)
def test_the_bound(
    limit: int, processes: int, wanted: int, given: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 files a process are kept for other things, and one request may always be out."""
    found = within(monkeypatch, System(limit, limit, limit), wanted, processes)
    assert found.concurrency == given
    assert found.concurrency_wanted == (None if given == wanted else wanted)
    assert found.most_in_flight is not None
    assert found.most_in_flight >= given
