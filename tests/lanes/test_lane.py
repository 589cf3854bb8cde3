"""The lane around a service in memory: what no practice server does."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from runner.errors import ProviderError
from runner.events import ModelHalted
from runner.models import Job
from runner.providers.batches.base import Limits, LineFault
from tests.lanes.fakes import FakeService, Scene, asked

pytestmark = pytest.mark.anyio

BAD = ProviderError("invalid_request", "no such parameter", retryable=False, code="bad")


def third_is_bad(rows: list[dict[str, Any]]) -> tuple[LineFault, ...]:
    """Refuse whatever holds job 2."""
    texts = [row["body"]["messages"][0]["content"] for row in rows]
    return (LineFault(texts.index("Say 2.") + 1, BAD),) if "Say 2." in texts else ()


async def test_a_line_that_spoils_a_file_is_left_out(tmp_path: Path) -> None:
    """Where a provider refuses a file for a line, that job fails and the others are asked."""
    scene = Scene(tmp_path, FakeService(refuses=third_is_bad))
    await scene.run([], await scene.made(5))
    failed = [result for result in scene.results if result.error]
    assert [(one.id, one.error.code) for one in failed if one.error] == [("job 2", "bad")]
    assert scene.texts() | {"job 2": None} == scene.texts()
    assert len(scene.results) == 5
    assert [len(rows) for rows in scene.service.rows.values()] == [5, 4]
    assert scene.store.load() == []
    assert len(scene.service.forgotten) == 1


async def test_rows_that_never_come_are_told(tmp_path: Path) -> None:
    """Results that lack a row are fetched again; then the job fails at a cost nobody knows."""
    service = FakeService(loses=lambda row: "Say 1." in str(row))
    scene = Scene(tmp_path, service)
    await scene.run([], await scene.made(3))
    assert service.downloads > 1
    (lost,) = [result for result in scene.results if result.error]
    assert lost.error is not None
    assert (lost.id, lost.error.kind, lost.error.retryable) == ("job 1", "bad_response", True)
    assert (lost.attempts[0].cost_usd, lost.attempts[0].at_most_usd) == (None, 0.5)


async def test_a_strangers_batch_is_waited_for_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a service keeps no tags, a batch of the same size is known by its rows."""
    monkeypatch.setattr("runner.lanes.patience.LISTED_WITHIN_S", 0.2)
    service = FakeService(tags=False, uploads=False, lost_creates=1)
    scene = Scene(tmp_path, service)
    service.put([{"id": "r-ffffffffffff-0"}, {"id": "r-ffffffffffff-1"}])
    await scene.run([], await scene.made(2))
    assert len(service.batches) == 2
    assert scene.texts() == {"job 0": "Say 0.", "job 1": "Say 1."}


async def test_a_creation_that_never_came_about_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before the batch was asked for, the next run looks for it and then asks."""
    monkeypatch.setattr("runner.lanes.patience.LISTED_WITHIN_S", 0.2)
    scene = Scene(tmp_path, FakeService())
    (chunk,) = await scene.made(2)
    chunk = scene.store.save(replace(chunk, phase="creating", upload="u", asked_at=1.0))
    await scene.run([chunk], [])
    assert len(scene.service.batches) == 1
    assert len(scene.results) == 2


async def test_long_ago_one_look_is_enough(tmp_path: Path) -> None:
    """A batch that was asked for hours ago is in every list by now, or was never created."""
    scene = Scene(tmp_path, FakeService(), wait=False)
    (chunk,) = await scene.made(2)
    await scene.run([scene.store.save(replace(chunk, phase="creating", asked_at=1.0))], [])
    assert len(scene.service.batches) == 1


async def test_without_waiting_doubt_stays_doubt(tmp_path: Path) -> None:
    """What was just asked for and is in no list yet is neither asked again nor given up."""
    service = FakeService(lost_creates=1, lists=False)
    scene = Scene(tmp_path, service, wait=False)
    await scene.run([], await scene.made(2))
    doubted = scene.store.load()
    assert [chunk.phase for chunk in doubted] == ["creating"]
    await scene.run(doubted, [])
    assert scene.store.load() == doubted
    service.lists = True
    await scene.run(doubted, [])
    assert len(service.batches) == 1
    assert len(scene.results) == 2


async def test_cancelling_what_has_ended_collects_it(tmp_path: Path) -> None:
    """A batch that ended before it could be cancelled is collected as it is."""
    scene = Scene(tmp_path, FakeService(), wait=False)
    await scene.run([], await scene.made(2))
    (chunk,) = scene.store.load()
    scene.cancel = True
    await scene.run([chunk], [])
    assert len(scene.results) == 2
    assert scene.store.load() == []


async def test_cancelling_what_was_never_created_forgets_it(tmp_path: Path) -> None:
    """Rows that were uploaded and not asked are deleted at the provider, and nothing is sent."""
    scene = Scene(tmp_path, FakeService(), cancel=True)
    (chunk,) = await scene.made(2)
    await scene.run([scene.store.save(replace(chunk, phase="uploaded", upload="u"))], [])
    assert scene.service.forgotten == ["u"]
    assert scene.service.batches == {}
    assert scene.store.load() == []


async def test_a_stop_sends_nothing_new(tmp_path: Path) -> None:
    """What was not begun when the run is stopped leaves nothing behind."""
    scene = Scene(tmp_path, FakeService())
    made = await scene.made(3, most_rows=1)
    scene.stop.drain("sigint")
    await scene.run([], made)
    assert scene.service.batches == {}
    assert list((tmp_path / "x.batches").iterdir()) == []


async def test_an_unknown_model_halts_it(tmp_path: Path) -> None:
    """A file refused for its model fails no job, and nothing more goes to that model."""
    unknown = ProviderError("not_found", "no model m", retryable=False, code="model_not_found")
    service = FakeService(refuses=lambda _: (LineFault(1, unknown), LineFault(2, unknown)))
    scene = Scene(tmp_path, service)
    await scene.run([], await scene.made(2))
    assert scene.results == []
    assert any(isinstance(event, ModelHalted) for event in scene.events)
    assert scene.store.load() == []


async def test_a_refusal_without_a_word_is_told(tmp_path: Path) -> None:
    """A batch that failed for no row's fault is trouble, and its jobs are to do."""
    service = FakeService(refuses=lambda _: (LineFault(None, BAD),))
    scene = Scene(tmp_path, service)
    await scene.run([], await scene.made(2))
    assert [str(trouble.error) for trouble in scene.board.troubles] == ["no such parameter"]
    assert scene.results == []
    assert scene.store.load() == []


async def test_chunks_keep_within_rows_and_bytes(tmp_path: Path) -> None:
    """A chunk never passes a limit of its service, and a row that is too large is refused."""
    service = FakeService(limits=Limits(rows=4, bytes=10_000))
    scene = Scene(tmp_path, service)
    assert [chunk.rows for chunk in await scene.made(10)] == [4, 4, 2]
    service.limits = Limits(rows=100, bytes=400)
    made = await scene.made(20)
    assert sum(chunk.rows for chunk in made) == 20
    sizes = [scene.store.rows(chunk.nonce).stat().st_size for chunk in made]
    assert max(sizes) <= 400
    assert len(made) > 2
    large: Job = replace(
        asked(0), request=replace(asked(0).request, messages=[{"role": "u", "content": "x" * 400}])
    )
    error = await scene._builder(None).add(large)
    assert error is not None
    assert error.unsent
