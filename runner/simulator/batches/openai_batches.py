"""OpenAI's Batches: the object, and the calls that reach it. What is asked is checked apart."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from runner.simulator.batches.context import Context
from runner.simulator.batches.files import Files, page
from runner.simulator.batches.input_file import InputFile, read_input
from runner.simulator.batches.openai_request import BatchRequest, read_request
from runner.simulator.batches.rows import Outcome, Row, RowDesk
from runner.simulator.batches.service import Call
from runner.simulator.batches.shelf import Shelf, place_of, read_limit
from runner.simulator.batches.spool import Spool
from runner.simulator.batches.timeline import Timeline
from runner.simulator.batches.work import Work
from runner.simulator.errors import ApiError

_DAY_S = 24 * 3600
_STATUS = {
    "validating": "validating",
    "working": "in_progress",
    "finalizing": "finalizing",
    "cancelling": "cancelling",
    "cancelled": "cancelled",
}
_UNDONE = {
    "expired": (
        "batch_expired",
        "This request could not be executed before the completion window expired.",
    ),
    "canceled": (
        "batch_cancelled",
        "This request was not executed because the batch was cancelled.",
    ),
}


@dataclass(slots=True, kw_only=True)
class Batch:
    """A batch and its two files, the one of answers and the one of errors."""

    id: str
    asked: BatchRequest
    input: InputFile
    timeline: Timeline
    context: Context
    output: Spool = field(default_factory=Spool)
    error: Spool = field(default_factory=Spool)
    output_file_id: str | None = None
    error_file_id: str | None = None
    work: Work = field(init=False)

    def write(self, row: Row, outcome: Outcome) -> None:
        """Write a row's line into the file where it belongs."""
        line: dict[str, Any] = {
            "id": f"batch_req_{outcome.serial or self.context.serial()}",
            "custom_id": row.custom_id,
            "response": None,
            "error": None,
        }
        if outcome.kind in _UNDONE:
            code, message = _UNDONE[outcome.kind]
            line["error"] = {"code": code, "message": message}
        else:
            line["response"] = {
                "status_code": outcome.status,
                "request_id": f"req_{outcome.serial}",
                "body": outcome.body,
            }
        spool = self.output if outcome.kind == "succeeded" else self.error
        spool.add(msgspec.json.encode(line) + b"\n")

    @property
    def status(self) -> str:
        """The state, in the service's words."""
        phase = self.work.phase()
        if self.input.errors and phase not in {"validating", "cancelling", "cancelled"}:
            return "failed"
        if phase == "ended":
            return "expired" if self.work.expires else "completed"
        return _STATUS[phase]

    def view(self) -> dict[str, Any]:
        """The `batch` object."""
        status, line, work = self.status, self.timeline, self.work
        checked = status not in {"validating", "failed"}
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": self.asked.endpoint,
            "model": self.input.model if checked else None,
            "errors": self._errors() if status == "failed" else None,
            "input_file_id": self.asked.input_file_id,
            "completion_window": "24h",
            "status": status,
            "output_file_id": self.output_file_id,
            "error_file_id": self.error_file_id,
            **self._moments(status),
            "expires_at": int(self.context.wall(line.ended if work.expires else line.created))
            + (0 if work.expires else _DAY_S),
            "request_counts": {
                "total": work.total if checked else 0,
                "completed": work.counts["succeeded"],
                "failed": work.counts["errored"],
            },
            "usage": self._usage(),
            "metadata": self.asked.metadata,
        }

    def _errors(self) -> dict[str, Any]:
        return {"object": "list", "data": self.input.errors}

    def _moments(self, status: str) -> dict[str, int | None]:
        line, stopped = self.timeline, self.timeline.cancelled
        # Each moment with the states in which it has passed.
        passed: dict[str, tuple[float | None, set[str]]] = {
            "in_progress_at": (line.began, {"in_progress", "finalizing", "completed", "expired"}),
            "finalizing_at": (line.worked, {"finalizing", "completed", "expired"}),
            "completed_at": (line.ended, {"completed"}),
            "failed_at": (line.began, {"failed"}),
            "expired_at": (line.ended, {"expired"}),
            "cancelling_at": (stopped, {"cancelling", "cancelled"}),
            "cancelled_at": (line.gone, {"cancelled"}),
        }
        if stopped is not None and stopped >= line.began:
            passed["in_progress_at"][1].update({"cancelling", "cancelled"})
        found = {
            name: int(self.context.wall(moment))
            if moment is not None and status in states
            else None
            for name, (moment, states) in passed.items()
        }
        return {"created_at": int(self.context.wall(line.created)), **found}

    def _usage(self) -> dict[str, Any]:
        work = self.work
        return {
            "input_tokens": work.input_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": work.output_tokens,
            "output_tokens_details": {"reasoning_tokens": work.reasoning_tokens},
            "total_tokens": work.input_tokens + work.output_tokens,
        }


class Batches:
    """The batches of the account, and the calls that reach them."""

    def __init__(self, context: Context, files: Files) -> None:
        self._context = context
        self._files = files
        self._shelf: Shelf[Batch] = Shelf(context)

    async def create(self, call: Call) -> dict[str, Any]:
        """`POST /v1/batches`."""
        asked = read_request(call.headers, call.body)
        file = self._files.shelf.reach(asked.input_file_id)
        if file is None or file.purpose != "batch":
            message = (
                f"Invalid value for 'input_file_id': no such batch file: {asked.input_file_id}."
            )
            raise ApiError(400, message, param="input_file_id", code="invalid_value")
        context = self._context
        created = context.clock()
        found = await read_input(file.content, asked.endpoint, context.scenario)
        self._check_queue(found)
        batch = Batch(
            id=f"batch_{context.serial()}",
            asked=asked,
            input=found,
            timeline=Timeline(settings=context.settings, created=created),
            context=context,
        )
        desk = RowDesk(asked.api, context, call.headers)
        if found.errors:
            found.lot.clear()
        else:
            found.lot.accept(context, batch.id)
        batch.work = Work(found.lot, batch.timeline, context.clock, desk.answer, batch.write)
        self._shelf.add(batch)
        context.tally.created += 1
        return batch.view()

    async def list(self, call: Call) -> dict[str, Any]:
        """`GET /v1/batches`."""
        limit = read_limit(call.query, 20, 100)
        found = self._shelf.listed()
        after = call.query.get("after")
        start = 0 if after is None else place_of(after, found, "after") + 1
        for batch in found[start : start + limit]:
            await self.refresh(batch)
        return page([batch.view() for batch in found[start:]], limit)

    async def retrieve(self, call: Call) -> dict[str, Any]:
        """`GET /v1/batches/{id}`."""
        batch = self._find(call)
        await self.refresh(batch)
        return batch.view()

    async def cancel(self, call: Call) -> dict[str, Any]:
        """`POST /v1/batches/{id}/cancel`."""
        batch = self._find(call)
        await self.refresh(batch)
        status = batch.status
        if status in {"completed", "failed", "expired", "cancelled"}:
            raise ApiError(
                409, f"Cannot cancel a batch with status '{status}'.", kind="invalid_request_error"
            )
        if batch.timeline.cancelled is None:
            batch.timeline.cancelled = self._context.clock()
        return batch.view()

    async def refresh(self, batch: Batch) -> None:
        """Do what is due, and file the results once they are whole."""
        await batch.work.catch_up()
        if batch.status not in {"completed", "expired", "cancelled"}:
            return
        moment = batch.timeline.gone or batch.timeline.ended
        lasts = batch.asked.output_lasts_s
        if batch.output.size and batch.output_file_id is None:
            name = f"{batch.id}_output.jsonl"
            batch.output_file_id = self._files.keep_output(name, batch.output, moment, lasts)
        if batch.error.size and batch.error_file_id is None:
            name = f"{batch.id}_error.jsonl"
            batch.error_file_id = self._files.keep_output(name, batch.error, moment, lasts)

    def _find(self, call: Call) -> Batch:
        batch = self._shelf.find(call.name)
        if batch is None:
            raise ApiError(404, f"No batch found with id '{call.name}'.")
        return batch

    def _check_queue(self, found: InputFile) -> None:
        most = self._context.settings.max_queued_tokens
        if most is None or found.errors:
            return
        waiting = sum(
            batch.work.queued_tokens
            for batch in self._shelf.all()
            if batch.input.model == found.model
        )
        if waiting + found.lot.tokens > most:
            found.refuse(
                "token_limit_exceeded",
                f"Enqueued token limit reached for {found.model}. Limit: {most} enqueued tokens."
                " Please try again once some in_progress batches have been completed.",
            )
