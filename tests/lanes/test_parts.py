"""The parts of the lane that know no network: names of rows, waits, refusals, what is out."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from runner.errors import ProviderError, UsageError
from runner.lanes.chunk import Chunk, custom_id, is_of, row_of
from runner.lanes.jobs_file import JobsFile, encode_job, jobs_in
from runner.lanes.out import Out
from runner.lanes.patience import Looks, back_off
from runner.lanes.refusing import plan_for
from runner.lanes.store import ChunkStore
from runner.models import Job, Request
from runner.providers.batches.base import Batch, LineFault

CHUNK = Chunk(nonce="0123456789ab", run="r", provider="openai", model="m", rows=10)


def job(number: int, **changes: object) -> Job:
    """Make a job."""
    made = Job(
        id=f"job {number}",
        digest=f"{number:064x}",
        line=number + 1,
        provider="openai",
        model="m",
        request=Request(messages=[{"role": "user", "content": f"é \u2028 {number}\n"}]),
    )
    return replace(made, **changes)


def refused(*faults: tuple[int | None, str, str]) -> Batch:
    """Make a batch that failed validation."""
    return Batch(
        id="b",
        state="refused",
        word="failed",
        rows=0,
        done=0,
        created_at=0.0,
        faults=tuple(
            LineFault(line, ProviderError(kind, "no", retryable=False, code=code))  # type: ignore[arg-type]
            for line, kind, code in faults
        ),
    )


@given(st.text(alphabet="0123456789abcdef", min_size=12, max_size=12), st.integers(0, 99_999))
def test_a_row_is_found_by_its_name(nonce: str, row: int) -> None:
    """Each row has a name that every service takes, and only its own chunk knows it."""
    name = custom_id(nonce, row)
    assert len(name) <= 64
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert row_of(nonce, name, row + 1) == row
    assert row_of(nonce, name, row) is None
    assert not is_of("f" * 13, name)


@given(st.text())
def test_a_strange_name_is_no_row(name: str) -> None:
    """Whatever a service returns as custom id, it never becomes a row that was not asked."""
    assert row_of("0123456789ab", name, 10) is None


@pytest.mark.parametrize("name", ["r-0123456789ab-", "r-0123456789ab-01", "r-0123456789ab-²"])
def test_a_name_that_is_nearly_one_is_no_row(name: str) -> None:
    """Only the exact name counts."""
    assert row_of("0123456789ab", name, 10) is None


@given(st.integers(1, 10_000), st.floats(0, 0.999))
def test_a_back_off_is_bounded(failures: int, draw: float) -> None:
    """A repeated call waits for a minute at most of its own accord, and never at once."""
    assert 0.2 < back_off(failures, None, draw) <= 60


def test_a_server_that_asks_for_a_wait_gets_it() -> None:
    """Retry-After is waited for, with a little more, and ten minutes at most."""
    assert 7 <= back_off(3, 7.0, 0.9) < 8
    assert back_off(1, 86_400.0, 0.0) == 600


def test_looks_grow_rarer() -> None:
    """A batch is looked at soon at first, and once a minute after a while."""
    looks = Looks(lambda: 0.5)
    pauses = [looks.pause_s() for _ in range(30)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.2, 60)


@pytest.mark.parametrize(
    ("batch", "others_out", "act"),
    [
        (refused((None, "invalid_request", "token_limit_exceeded")), True, "wait"),
        (refused((None, "invalid_request", "token_limit_exceeded")), False, "halve"),
        (refused((None, "invalid_request", "too_many_tasks")), True, "halve"),
        (refused((3, "invalid_request", "invalid_type")), False, "leave_out"),
        (refused((1, "not_found", "model_not_found")), False, "unknown_model"),
        (refused((11, "invalid_request", "x")), False, "give_up"),
        (refused(), False, "give_up"),
    ],
)
def test_what_is_done_about_a_refused_batch(batch: Batch, others_out: bool, act: str) -> None:
    """What a provider says of a whole file decides what becomes of its rows."""
    assert plan_for(CHUNK, batch, others_out=others_out).act == act


def test_lines_named_are_rows_from_zero() -> None:
    """Line 3 of a file is its third row."""
    plan = plan_for(CHUNK, refused((3, "invalid_request", "x")), others_out=False)
    assert list(plan.rows) == [2]


def test_jobs_come_back_as_they_were(tmp_path: Path) -> None:
    """Any job of a chunk is read by its row, its metadata byte for byte."""
    asked = [job(0), job(1, metadata=Raw(b'{"a":  1}')), job(2, line=None, metadata=Raw(b"null"))]
    path = tmp_path / "jobs"
    path.write_bytes(b"".join(map(encode_job, asked)))
    opened = JobsFile(path)
    assert len(opened) == 3
    read = [opened.get(row) for row in (2, 0, 1)]
    opened.close()
    assert [one.id for one in read] == ["job 2", "job 0", "job 1"]
    assert [bytes(one.metadata) if one.metadata else None for one in read] == [
        None,
        None,
        b'{"a":  1}',
    ]
    assert [one.request for one in jobs_in(path)] == [one.request for one in asked]


def test_what_is_out_is_waited_for(tmp_path: Path) -> None:
    """A job that is out is awaited under its line of now, also where it asks something else."""
    store = ChunkStore(tmp_path / "x.batches")
    store.prepare()
    store.jobs(CHUNK.nonce).write_bytes(encode_job(job(0)) + encode_job(job(1)))
    out = Out(store, [CHUNK])
    assert out.jobs == 2
    moved = job(1, line=7)
    out.note(moved)
    out.note(job(5))
    assert out.wait_for(moved.id, moved.digest)
    assert not out.wait_for("job 5", "0")
    assert (out.awaited, out.changed) == (1, 0)
    assert out.wait_for("job 0", "f" * 64)
    assert out.changed == 1
    assert out.line("job 1") == 7
    assert out.line("job 0") is None
    assert out.is_awaited("job 0")
    assert not out.holds("job 5")


def test_a_chunk_is_kept_until_it_is_dropped(tmp_path: Path) -> None:
    """State survives, what has none is swept, and nothing that is not ours is touched."""
    store = ChunkStore(tmp_path / "x.batches")
    store.prepare()
    other = "ffffffffffff"
    for nonce in (CHUNK.nonce, other):
        store.rows(nonce).write_text("rows")
    (tmp_path / "x.batches" / "notes.rows").write_text("mine")
    store.save(CHUNK)
    store.sweep()
    assert store.load() == [CHUNK]
    assert store.rows(CHUNK.nonce).exists()
    assert not store.rows(other).exists()
    store.drop(CHUNK)
    store.close()
    assert [path.name for path in (tmp_path / "x.batches").iterdir()] == ["notes.rows"]


def test_a_damaged_state_is_said(tmp_path: Path) -> None:
    """Where nobody can know what is out, nothing is begun."""
    store = ChunkStore(tmp_path / "x.batches")
    store.prepare()
    store.save(CHUNK)
    next((tmp_path / "x.batches").iterdir()).write_text("{")
    with pytest.raises(UsageError, match="cannot be read"):
        store.load()
