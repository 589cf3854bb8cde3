"""A batch whose disk is full: what it counts, what it leaves, how it goes on. In process."""

import json
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from runner.engine import hold
from runner.errors import ExitCode, WriteError
from runner.events import WritesHeld
from runner.results import writer
from tests.processes.running import lines_of, wait_until
from tests.run.commands import batch, records, settings, write_lines
from tests.simulated import Endpoints, reset_stats, scenario_file, simulator_in_thread, stats

SCENARIO = """
[answer]
min_tokens = 3
mean_tokens = 6
max_tokens = 12
[speed]
first_token_s = 0.005
tokens_per_second = 5000
[[rules]]
match = "for long"
reply = { tokens = 100000 }
"""


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A quick simulator."""
    scenario = scenario_file(tmp_path_factory.mktemp("scenario"), SCENARIO)
    with simulator_in_thread(scenario) as found:
        yield found


@pytest.fixture(autouse=True)
def _short_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bear trouble for moments instead of a minute."""
    monkeypatch.setattr(hold, "HOLD_S", 0.3)


def when_held(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> list[WriteError]:
    """Act at the moment at which a run begins to wait; give what it waited for."""
    seen: list[WriteError] = []

    def held(error: WriteError, for_s: float) -> WritesHeld:
        seen.append(error)
        act()
        return WritesHeld(error, for_s)

    monkeypatch.setattr(hold, "WritesHeld", held)
    monkeypatch.setattr(hold, "HOLD_S", 20.0)
    monkeypatch.setattr(hold, "RETRY_S", 0.02)
    return seen


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size` bytes for a while."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def jobs(folder: Path, count: int, prompt: str) -> Path:
    """Write so many jobs."""
    lines = [{"id": f"j{n}", "prompt": f"{prompt} {n}"} for n in range(count)]
    return write_lines(folder / "jobs.jsonl", lines)


def test_only_what_is_in_the_file_is_counted(endpoints: Endpoints, tmp_path: Path) -> None:
    """Answers that could not be written are undone, on their way, and asked again."""
    path = jobs(tmp_path, 60, "Count")
    wanted = settings(path, summary_json=tmp_path / "s.json", concurrency=8)
    with largest_file(20_000), pytest.raises(WriteError, match="largest size"):
        batch(endpoints, wanted)
    recorded = len(records(tmp_path / "jobs.results.jsonl"))
    assert 5 < recorded < 60
    figures = json.loads((tmp_path / "s.json").read_text())
    assert (figures["succeeded"], figures["undone"]) == (recorded, 60 - recorded)
    assert figures["exit_code"] == 74
    reset_stats(endpoints)
    assert batch(endpoints, wanted) is ExitCode.OK
    assert stats(endpoints)["requests"] == 60 - recorded
    assert len(records(tmp_path / "jobs.results.jsonl")) == 60


def test_a_journal_without_room_stops_the_run_and_keeps_what_was_sent(
    endpoints: Endpoints, tmp_path: Path
) -> None:
    """The code is 74 however many requests fail at once; those that were out stay noted as sent."""
    path = jobs(tmp_path, 60, "Talk for long, and then about the number")
    wanted = settings(path, summary_json=tmp_path / "s.json", concurrency=60)
    with largest_file(2_000), pytest.raises(WriteError, match="journal"):
        batch(endpoints, wanted)
    figures = json.loads((tmp_path / "s.json").read_text())
    assert (figures["undone"], figures["exit_code"]) == (60, 74)
    noted = (tmp_path / "jobs.results.jsonl.journal").read_bytes().splitlines()
    assert len(noted) >= 10


def test_what_fails_before_the_first_request_has_a_summary(
    endpoints: Endpoints, tmp_path: Path
) -> None:
    """Where results cannot even be opened the figures say so, with counts that are not known."""
    path = jobs(tmp_path, 3, "Count")
    (tmp_path / "jobs.results.jsonl.lock").mkdir()
    with pytest.raises(WriteError):
        batch(endpoints, settings(path, summary_json=tmp_path / "s.json"))
    figures = json.loads((tmp_path / "s.json").read_text())
    assert (figures["jobs_selected"], figures["exit_code"]) == (None, 74)


def test_what_is_mended_in_time_is_forgotten(
    endpoints: Endpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written again within the time, the run ends as if nothing had been; each is asked once."""
    path = jobs(tmp_path, 60, "Count")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    seen = when_held(monkeypatch, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard)))
    reset_stats(endpoints)
    with largest_file(20_000):
        assert batch(endpoints, settings(path, concurrency=8)) is ExitCode.OK
    assert len(seen) == 1
    assert stats(endpoints)["requests"] == 60
    ids = [record["id"] for record in records(tmp_path / "jobs.results.jsonl")]
    assert ids == [f"j{n}" for n in range(60)]


def test_a_journal_that_is_mended_in_time(
    endpoints: Endpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that could not be noted goes out when it can, once."""
    path = jobs(tmp_path, 40, "Count")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    seen = when_held(monkeypatch, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard)))
    reset_stats(endpoints)
    with largest_file(2_000):
        assert batch(endpoints, settings(path, concurrency=40)) is ExitCode.OK
    assert "journal" in str(seen[0])
    assert stats(endpoints)["requests"] == 40
    assert len(records(tmp_path / "jobs.results.jsonl")) == 40


def test_a_folder_that_is_moved_back(
    endpoints: Endpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A results file that comes back in time holds every answer, each asked once."""
    place, elsewhere = tmp_path / "place", tmp_path / "elsewhere"
    place.mkdir()
    results = place / "out.jsonl"
    path = jobs(tmp_path, 80, "Count")
    seen = when_held(monkeypatch, lambda: elsewhere.rename(place))
    monkeypatch.setattr(writer, "SYNC_EVERY_S", 0.02)
    reset_stats(endpoints)

    def move() -> None:
        wait_until(lambda: lines_of(results) > 0)
        place.rename(elsewhere)

    mover = Thread(target=move)
    mover.start()
    code = batch(endpoints, settings(path, output=results, concurrency=1))
    mover.join()
    assert code is ExitCode.OK
    assert ["was moved" in str(error) for error in seen] == [True]
    assert stats(endpoints)["requests"] == 80
    assert len(records(results)) == 80


def test_a_reserve_left_by_a_killed_run(endpoints: Endpoints, tmp_path: Path) -> None:
    """It is gone after the next run, also when there is nothing to send."""
    path = jobs(tmp_path, 2, "Count")
    for _ in range(2):
        left = tmp_path / "jobs.results.jsonl.reserve"
        left.write_bytes(b"\0" * 1000)
        assert batch(endpoints, settings(path)) is ExitCode.OK
        assert not left.exists()
