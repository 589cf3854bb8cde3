"""A batch service in memory, and a lane around it."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from runner.clock import SystemClock
from runner.engine.stop import Stop
from runner.errors import ProviderError
from runner.events import Event
from runner.lanes.building import Builder
from runner.lanes.chunk import Chunk
from runner.lanes.lane import BatchLane
from runner.lanes.recording import Recorder
from runner.lanes.standing import Board
from runner.lanes.store import ChunkStore
from runner.models import Completion, Job, Request, Result
from runner.providers.batches.base import Batch, Frame, Limits, LineFault, Row

LIMITS = Limits(rows=100, bytes=10_000)
FRAME = Frame(b"", b"\n", b"\n")


@dataclass
class FakeService:
    """Answers every row with its own prompt, once it was asked how the batch is."""

    tags: bool = True
    limits: Limits = LIMITS
    frame: Frame = FRAME
    one_model: bool = True
    uploads: bool = True
    keeps: str = "nothing"
    batches: dict[str, Batch] = field(default_factory=dict)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By batch, what was sent."""
    forgotten: list[str] = field(default_factory=list)
    refuses: Callable[[list[dict[str, Any]]], tuple[LineFault, ...]] = lambda _: ()
    """What is wrong with rows, if anything."""
    loses: Callable[[dict[str, Any]], bool] = lambda _: False
    """Whether the results lack a row."""
    lists: bool = True
    """Whether what was created is in lists by now."""
    lost_creates: int = 0
    downloads: int = 0

    def body(self, model: str, request: Request) -> bytes:
        return msgspec.json.encode({"model": model, "messages": request.messages})

    def row(self, custom_id: str, body: bytes) -> bytes:
        return b'{"id":"%s","body":%s}' % (custom_id.encode(), body)

    async def upload(self, path: Path, name: str) -> str:
        return name

    async def uploaded(self, name: str) -> str | None:
        return None

    async def forget(self, upload: str) -> None:
        self.forgotten.append(upload)

    async def create(self, path: Path, upload: str | None, tag: str) -> Batch:
        rows = _read(path)
        faults = self.refuses(rows)
        batch = self.put(rows, tag if self.tags else None)
        if faults:
            batch = replace(batch, state="refused", faults=faults)
            self.batches[batch.id] = batch
        if self.lost_creates:
            self.lost_creates -= 1
            raise ProviderError("connection", "reset", retryable=True)
        return replace(batch, state="working")

    def put(self, rows: list[dict[str, Any]], tag: str | None = None) -> Batch:
        """Keep a batch that has ended."""
        now = SystemClock().now().timestamp()
        name = f"batch_{len(self.batches)}"
        batch = Batch(
            id=name,
            state="ended",
            word="ended",
            rows=len(rows),
            done=len(rows),
            created_at=now,
            ended_at=now + 60,
            tag=tag,
            results=("all",),
        )
        self.batches[name], self.rows[name] = batch, rows
        return batch

    async def look(self, batch_id: str) -> Batch:
        return self.batches[batch_id]

    async def listed(self, since: float) -> AsyncGenerator[Batch, None]:
        for batch in reversed(self.batches.values()) if self.lists else ():
            yield batch

    async def cancel(self, batch_id: str) -> None:
        raise ProviderError("invalid_request", "it has ended", retryable=False, http_status=409)

    async def fetch(self, batch: Batch, into: Path) -> None:
        self.downloads += 1
        kept = [row for row in self.rows[batch.id] if not self.loses(row)]
        _write(into, kept)

    async def first_id(self, batch: Batch) -> str | None:
        return str(self.rows[batch.id][0]["id"])

    def named(self, line: bytes) -> str | None:
        return str(json.loads(line)["id"])

    def read(self, line: bytes) -> Row | None:
        row = json.loads(line)
        return Row(
            custom_id=row["id"],
            completion=Completion(text=row["body"]["messages"][0]["content"]),
        )


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def asked(number: int) -> Job:
    """Make a job."""
    return Job(
        id=f"job {number}",
        digest=f"{number:064x}",
        line=number + 1,
        provider="fake",
        model="m",
        request=Request(messages=[{"role": "user", "content": f"Say {number}."}]),
    )


@dataclass
class Scene:
    """A lane around a service, and what came of it."""

    folder: Path
    service: FakeService
    wait: bool = True
    cancel: bool = False
    results: list[Result] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    board: Board = field(default_factory=Board)
    stop: Stop = field(default_factory=Stop)

    @property
    def store(self) -> ChunkStore:
        """The chunks on the disk."""
        return ChunkStore(self.folder / "x.batches")

    async def made(self, count: int, most_rows: int | None = None) -> list[Chunk]:
        """Build chunks of so many jobs."""
        self.store.prepare()
        builder = self._builder(most_rows)
        for number in range(count):
            assert await builder.add(asked(number)) is None
        return builder.finish()

    async def run(self, found: list[Chunk], made: list[Chunk]) -> None:
        """Follow chunks to their ends."""
        await BatchLane(
            store=self.store,
            services=self._service,
            recorder=self._recorder(),
            board=self.board,
            builder=self._builder,
            settled=lambda _: None,
            emit=self.events.append,
            stop=self.stop,
            clock=SystemClock(),
            draw=lambda: 0.0,
            written=self._written,
            wait=self.wait,
            cancel=self.cancel,
        ).run(found, made)

    def texts(self) -> dict[str, str | None]:
        """Give the answers by job."""
        return {result.id: result.text for result in self.results}

    async def _service(self, provider: str, model: str) -> FakeService:
        return self.service

    async def _written(self) -> None:
        """All is there at once."""

    async def _write(self, result: Result) -> None:
        self.results.append(result)

    def _builder(self, most_rows: int | None) -> Builder:
        made = len(list((self.folder / "x.batches").glob("*.jobs")))
        numbers = iter(range(made, 1000))
        return Builder(
            self.store,
            self._service,
            run="run",
            nonce=lambda: f"{len(self.service.batches):06x}{next(numbers):06x}",
            worst_case=lambda _: None,
            most_rows=most_rows,
        )

    def _recorder(self) -> Recorder:
        write: Callable[[Result], Awaitable[None]] = self._write
        return Recorder(
            price=lambda _job, _usage, _lane: None,
            worst_case=lambda _: 0.5,
            earlier=lambda _: [],
            recorded=lambda _job, _batch: None,
            line=lambda job: job.line,
            counts=lambda _: True,
            write=write,
            emit=self.events.append,
            settle=lambda _job, _cost: None,
            passed=lambda _: None,
        )
