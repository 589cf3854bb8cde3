"""What a killed run had sent."""

import resource
from pathlib import Path

import pytest

from runner.errors import WriteError
from runner.results import journal as journal_module
from runner.results.encode import encode
from runner.results.journal import Journal, NoJournal, unresolved
from runner.results.scan import scan
from tests.results.build import AT, digest, record


class Log:
    """A results file and its journal, as a run uses them; dropping it is a kill."""

    def __init__(self, folder: Path) -> None:
        self.results = folder / "o"
        self.path = folder / "o.journal"
        self.results.touch()
        self.journal = self.open()

    def size(self) -> int:
        return self.results.stat().st_size

    def open(self) -> Journal:
        left = unresolved(self.path, scan(self.results).table)
        return Journal(self.path, left, self.size)

    def sent(self, job_id: str) -> None:
        self.journal.sent(job_id, digest("a"), AT)

    def write(self, job_id: str) -> None:
        with self.results.open("ab") as file:
            file.write(encode(record(job_id)))

    def unresolved(self) -> dict[str, str]:
        left = unresolved(self.path, scan(self.results).table)
        return {job_id: entry.at for job_id, entry in left.items()}


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """Open an empty log."""
    return Log(tmp_path)


def test_nothing_sent_nothing_kept(log: Log) -> None:
    """A run that sends nothing leaves no journal."""
    assert not log.path.exists()
    log.journal.close()
    assert not log.path.exists()
    assert log.unresolved() == {}


def test_killed_in_flight(log: Log) -> None:
    """What was sent and has no record is unresolved, with its time; a record resolves it."""
    log.sent("a")
    log.sent("b")
    log.write("a")
    assert log.unresolved() == {"b": AT}


def test_asked_again_and_killed(log: Log) -> None:
    """An older record of the same job is no answer to a request that went out after it."""
    log.write("a")
    log.sent("a")
    assert log.unresolved() == {"a": AT}
    log.write("a")
    assert log.unresolved() == {}


def test_withdrawn_between_attempts(log: Log) -> None:
    """A job that waits for its next attempt is not in flight, also for a run that comes later."""
    log.sent("a")
    log.journal.withdrawn("a")
    log.journal.withdrawn("never sent")
    assert log.unresolved() == {}
    log.sent("a")
    assert log.unresolved() == {"a": AT}


def test_clean_end(log: Log) -> None:
    """The journal is gone when nothing is unresolved."""
    log.sent("a")
    log.write("a")
    log.journal.answered("a")
    log.journal.close()
    assert not log.path.exists()


def test_unclean_end(log: Log) -> None:
    """What is unresolved at the end stays so, wherever records move when they are ordered."""
    log.write("b")
    log.sent("a")
    log.sent("b")
    log.write("a")
    log.journal.answered("a")
    log.journal.close()
    log.write("c")
    log.results.write_bytes(b"".join(reversed(log.results.read_bytes().splitlines(keepends=True))))
    assert log.unresolved() == {"b": AT}


def test_taken_over_by_the_next_run(log: Log) -> None:
    """A job left alone by the next run stays unresolved; one that it answers does not."""
    log.sent("a")
    log.sent("b")
    log.journal = log.open()
    assert log.unresolved() == {"a": AT, "b": AT}
    log.sent("b")
    log.write("b")
    log.journal.answered("b")
    log.journal.close()
    log.journal = log.open()
    assert log.unresolved() == {"a": AT}


def test_stopped_before_its_turn(log: Log) -> None:
    """A job of a killed run that the next one did not come to send stays unresolved."""
    log.sent("a")
    log.sent("b")
    log.journal = log.open()
    log.sent("b")
    log.journal.withdrawn("a")
    log.journal.withdrawn("b")
    assert log.unresolved() == {"a": AT}
    log.journal.close()
    assert log.unresolved() == {"a": AT}


def test_torn_last_line(log: Log) -> None:
    """A torn last line was written before its request went out, so nothing is lost with it."""
    log.sent("a")
    with log.path.open("ab") as file:
        file.write(b'["b","d')
    assert log.unresolved() == {"a": AT}


def test_rewritten_when_long(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long run's journal stays small and never forgets what is in flight."""
    monkeypatch.setattr(journal_module, "MAX_BYTES", 4000)
    log.journal = log.open()
    log.sent("first")
    largest = 0
    for number in range(300):
        log.sent(f"job-{number}")
        log.write(f"job-{number}")
        log.journal.answered(f"job-{number}")
        largest = max(largest, log.path.stat().st_size)
    assert largest < 4200
    assert log.unresolved() == {"first": AT}


def test_much_in_flight(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all is in flight the file grows beyond its bound instead of being rewritten always."""
    monkeypatch.setattr(journal_module, "MAX_BYTES", 1000)
    log.journal = log.open()
    for number in range(100):
        log.sent(f"job-{number}")
    assert len(log.unresolved()) == 100


def test_cannot_write(tmp_path: Path) -> None:
    """A journal that cannot be written stops the request from going out."""
    journal = Journal(tmp_path / "no" / "journal", {}, lambda: 0)
    with pytest.raises(WriteError, match="cannot write"):
        journal.sent("a", digest("a"), AT)
    journal.close()


def test_cannot_close(log: Log) -> None:
    """A journal that cannot be written anew is an error in words, and what it says stays true."""
    log.sent("a")
    log.path.with_name("o.journal.tmp").mkdir()
    with pytest.raises(WriteError, match="cannot write"):
        log.journal.close()
    assert log.unresolved() == {"a": AT}


def test_disk_full_for_a_while(log: Log) -> None:
    """A request that could not be noted has not gone out; what was in flight is still known."""
    log.sent("a")
    log.journal = log.open()
    log.sent("b")
    log.sent("c")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.path.stat().st_size + 10, limits[1]))
    try:
        for job_id in ("a", "d"):
            with pytest.raises(WriteError, match="cannot write"):
                log.sent(job_id)
        log.journal.withdrawn("c")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert log.unresolved().keys() >= {"a", "b"}
    log.sent("e")
    assert log.unresolved().keys() == {"a", "b", "e"}


def test_it_is_found_out_whether_it_can_be_written(log: Log) -> None:
    """`mend` fails as long as notes would, leaves nothing half done, and changes nothing."""
    log.sent("a")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.path.stat().st_size - 10, hard))
    try:
        for _ in range(2):
            with pytest.raises(WriteError, match="largest size"):
                log.journal.mend()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in log.path.parent.iterdir() if path.suffix == ".tmp"] == []
    assert log.unresolved() == {"a": AT}
    log.journal.mend()
    log.sent("b")
    assert log.unresolved() == {"a": AT, "b": AT}


def test_no_journal(tmp_path: Path) -> None:
    """Where nothing is kept, nothing is noted."""
    journal = NoJournal()
    journal.sent("a", digest("a"), AT)
    journal.answered("a")
    journal.withdrawn("b")
    journal.mend()
    journal.close()
    assert list(tmp_path.iterdir()) == []
