"""Anthropic's Message Batches: the object, and the calls that reach it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from runner.simulator.batches.anthropic_request import read_requests
from runner.simulator.batches.context import Context
from runner.simulator.batches.rows import Kind, Outcome, Row, RowDesk
from runner.simulator.batches.service import Call, Download
from runner.simulator.batches.shelf import Shelf, place_of, read_limit
from runner.simulator.batches.spool import Spool
from runner.simulator.batches.timeline import Timeline
from runner.simulator.batches.work import Work
from runner.simulator.errors import ApiError

_DAY_S = 24 * 3600
_STATUS = {"cancelling": "canceling", "ended": "ended", "cancelled": "ended"}
_KINDS: tuple[Kind, ...] = ("succeeded", "errored", "canceled", "expired")


@dataclass(slots=True, kw_only=True)
class MessageBatch:
    """A batch and its results."""

    id: str
    timeline: Timeline
    context: Context
    results: Spool = field(default_factory=Spool)
    work: Work = field(init=False)

    def write(self, row: Row, outcome: Outcome) -> None:
        """Write a row's result."""
        result: dict[str, Any] = {"type": outcome.kind}
        if outcome.kind == "succeeded":
            result["message"] = outcome.body
        elif outcome.kind == "errored":
            result["error"] = outcome.body
        line = {"custom_id": row.custom_id, "result": result}
        self.results.add(msgspec.json.encode(line) + b"\n")

    @property
    def status(self) -> str:
        """The `processing_status`."""
        return _STATUS.get(self.work.phase(), "in_progress")

    def view(self, root: str) -> dict[str, Any]:
        """The `message_batch` object; `root` is where its results are."""
        line, work, ended = self.timeline, self.work, self.status == "ended"
        # Nothing but `processing` moves before the whole batch has ended.
        counts = {kind: work.counts[kind] if ended else 0 for kind in _KINDS}
        expires = line.ended if work.expires else line.created + _DAY_S
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": self.status,
            "request_counts": {"processing": 0 if ended else work.total, **counts},
            "created_at": self._moment(line.created),
            "expires_at": self._moment(expires),
            "ended_at": self._moment(line.gone or line.ended) if ended else None,
            "cancel_initiated_at": self._moment(line.cancelled),
            "archived_at": None,
            "results_url": f"{root}/v1/messages/batches/{self.id}/results" if ended else None,
        }

    def _moment(self, moment: float | None) -> str | None:
        if moment is None:
            return None
        return datetime.fromtimestamp(self.context.wall(moment), UTC).isoformat()


class MessageBatches:
    """The batches of the account, and the calls that reach them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._shelf: Shelf[MessageBatch] = Shelf(context)

    async def create(self, call: Call) -> dict[str, Any]:
        """`POST /v1/messages/batches`."""
        context = self._context
        created = context.clock()
        lot = await read_requests(call.headers, call.body, context.settings)
        batch = MessageBatch(
            id=f"msgbatch_{context.serial()}",
            timeline=Timeline(settings=context.settings, created=created),
            context=context,
        )
        lot.accept(context, batch.id)
        desk = RowDesk("messages", context, call.headers)
        batch.work = Work(lot, batch.timeline, context.clock, desk.answer, batch.write)
        self._shelf.add(batch)
        context.tally.created += 1
        return self._view(batch, call)

    async def list(self, call: Call) -> dict[str, Any]:
        """`GET /v1/messages/batches`."""
        limit = read_limit(call.query, 20, 1000)
        found = self._shelf.listed()
        before, after = call.query.get("before_id"), call.query.get("after_id")
        if before is not None and after is not None:
            raise ApiError(400, "before_id and after_id cannot be used together")
        if before is not None:
            end = place_of(before, found, "before_id")
            shown, more = found[max(0, end - limit) : end], end > limit
        else:
            start = 0 if after is None else place_of(after, found, "after_id") + 1
            shown, more = found[start : start + limit], len(found) > start + limit
        for batch in shown:
            await batch.work.catch_up()
        return {
            "data": [self._view(batch, call) for batch in shown],
            "has_more": more,
            "first_id": shown[0].id if shown else None,
            "last_id": shown[-1].id if shown else None,
        }

    async def retrieve(self, call: Call) -> dict[str, Any]:
        """`GET /v1/messages/batches/{id}`."""
        return self._view(await self._find(call), call)

    async def cancel(self, call: Call) -> dict[str, Any]:
        """`POST /v1/messages/batches/{id}/cancel`."""
        batch = await self._find(call)
        if batch.status == "ended":
            raise ApiError(400, f"Batch {batch.id} has ended and can no longer be canceled.")
        if batch.timeline.cancelled is None:
            batch.timeline.cancelled = self._context.clock()
        return self._view(batch, call)

    async def results(self, call: Call) -> Download:
        """`GET /v1/messages/batches/{id}/results`."""
        batch = await self._find(call)
        if batch.status != "ended":
            raise ApiError(404, f"Batch {batch.id} has no results before it has ended.")
        results = batch.results
        return Download(kind="application/x-jsonl", size=results.size, blocks=results.blocks)

    async def delete(self, call: Call) -> dict[str, Any]:
        """`DELETE /v1/messages/batches/{id}`."""
        batch = await self._find(call)
        if batch.status != "ended":
            raise ApiError(400, f"Batch {batch.id} has not ended; cancel it before deleting it.")
        self._shelf.remove(batch.id)
        return {"id": batch.id, "type": "message_batch_deleted"}

    def _view(self, batch: MessageBatch, call: Call) -> dict[str, Any]:
        return batch.view(self._context.places.results or call.root)

    async def _find(self, call: Call) -> MessageBatch:
        batch = self._shelf.find(call.name)
        if batch is None:
            raise ApiError(404, f"No message batch with id {call.name}.")
        await batch.work.catch_up()
        return batch
