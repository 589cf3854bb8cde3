"""The rows of a batch: gathered and put into an order of their own, then answered one by one."""

from array import array
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from runner.simulator import chat, errors, messages, responses_events
from runner.simulator.answers import write_answer
from runner.simulator.ask import Api, Ask, hash_body, read_ask
from runner.simulator.batches.context import Context
from runner.simulator.chance import unit
from runner.simulator.errors import ApiError
from runner.simulator.faults import error_of
from runner.simulator.plan import Plan, make_plan
from runner.simulator.shapes import Shape, Stamp
from runner.simulator.strict import check_body, check_model

Kind = Literal["succeeded", "errored", "canceled", "expired"]
_SHAPES: MappingProxyType[Api, Shape] = MappingProxyType(
    {"chat": chat, "responses": responses_events, "messages": messages}
)
# The rest are accidents of a connection, and a row has none.
_ROW_FAULTS = {"status", "rate_limit", "quota", "auth", "overloaded", "error_event"}


@dataclass(frozen=True, slots=True)
class Row:
    """One request of a batch, not yet decoded."""

    custom_id: str
    body: msgspec.Raw


@dataclass(slots=True)
class Lot:
    """All rows of a batch."""

    rows: list[Row] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    """SHA-256 of each row's body, as `by_hash` has it for live requests."""
    tokens: int = 0
    """Roughly what its prompts weigh in a queue: a token every four bytes of a body."""
    order: "array[int]" = field(default_factory=lambda: array("I"))
    """Indices of the rows that are answered, in the order in which that happens."""
    never: "array[int]" = field(default_factory=lambda: array("I"))
    """Indices of the rows that expire."""

    def add(self, custom_id: str, raw: msgspec.Raw, body: dict[str, Any]) -> None:
        """Take in a row; `body` is `raw` decoded."""
        self.rows.append(Row(custom_id, raw))
        self.digests.append(bytes.fromhex(hash_body(body)))
        self.tokens += -(-len(memoryview(raw)) // 4)

    def clear(self) -> None:
        """Forget all rows: the batch has failed."""
        self.rows.clear()
        self.digests.clear()
        self.tokens = 0

    def accept(self, context: Context, batch_id: str) -> None:
        """Decide the order and what expires, then count the rows as submitted."""
        seed, rate = context.scenario.seed, context.settings.expired_rate
        doomed = set()
        if rate:
            for index, digest in enumerate(self.digests):
                times = context.tally.times_submitted(digest)
                if unit(seed, "expired", digest.hex(), times) < rate:
                    doomed.add(index)
        alive = [index for index in range(len(self.rows)) if index not in doomed]
        shuffled = sorted(alive, key=lambda index: unit(seed, "order", index, self.digests[index]))
        # Never by chance in the order of the input: nobody may rely on that.
        self.order.extend(reversed(alive) if shuffled == alive else shuffled)
        self.never.extend(sorted(doomed))
        ids = (row.custom_id for row in self.rows)
        context.tally.submitted(batch_id, zip(ids, self.digests, strict=True))
        self.digests.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a row. `status` and `body` as a live request would have got them."""

    kind: Kind
    serial: str = ""
    status: int = 0
    body: dict[str, Any] | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0


class RowDesk:
    """Answers rows as live requests are answered, only without a connection."""

    def __init__(self, api: Api, context: Context, headers: dict[str, str]) -> None:
        """`headers` are those of the request that made the batch."""
        self._api = api
        self._context = context
        self._version = {"anthropic-version": headers.get("anthropic-version", "")}

    def answer(self, row: Row) -> Outcome:
        """Answer a row, or say why not."""
        serial = self._context.serial()
        try:
            outcome = self._serve(row, serial)
        except ApiError as error:
            body = error.body(self._api, f"req_{serial}")
            outcome = Outcome(kind="errored", serial=serial, status=error.status, body=body)
        tally = self._context.tally
        tally.outcomes[outcome.kind] += 1
        tally.input_tokens += outcome.input_tokens
        tally.output_tokens += outcome.output_tokens
        return outcome

    def _serve(self, row: Row, serial: str) -> Outcome:
        body: dict[str, Any] = msgspec.json.decode(row.body)
        self._check(body)
        ask = read_ask(self._api, body)
        stats, scenario = self._context.stats, self._context.scenario
        attempt = stats.attempts(ask) + 1
        stats.admitted(ask)
        self._throw_dice(ask, attempt)
        plan = make_plan(scenario, ask, attempt)
        stamp = Stamp(serial=serial, created=int(self._context.wall(self._context.clock())))
        failed = self._fault(ask, plan, stamp)
        if failed is not None:
            return Outcome(kind="succeeded", serial=serial, status=200, body=failed)
        answers = [
            write_answer(ask, scenario.answer, plan.reply, choice) for choice in range(ask.choices)
        ]
        found = _SHAPES[self._api].body(ask, answers, stamp)
        if self._api == "messages":
            found["usage"]["service_tier"] = "batch"
        return Outcome(
            kind="succeeded",
            serial=serial,
            status=200,
            body=found,
            input_tokens=ask.input_tokens,
            output_tokens=sum(answer.tokens for answer in answers),
            reasoning_tokens=sum(len(answer.reasoning) for answer in answers),
        )

    def _check(self, body: dict[str, Any]) -> None:
        check_body(self._api, self._version, body)
        if body.get("stream"):
            raise ApiError(400, "stream: streaming is not supported in batches", param="stream")
        if body.get("max_tokens") == 0:
            raise ApiError(400, "max_tokens: must be at least 1 in a batch", param="max_tokens")
        check_model(self._api, self._context.scenario, body["model"])

    def _throw_dice(self, ask: Ask, attempt: int) -> None:
        seed, settings = self._context.scenario.seed, self._context.settings
        if unit(seed, "permanent", ask.prompt) < settings.permanent_rate:
            raise ApiError(400, "The simulator was told to refuse this prompt in batches.")
        if unit(seed, "transient", ask.prompt, attempt) < settings.transient_rate:
            raise errors.by_status(self._api, 500)

    def _fault(self, ask: Ask, plan: Plan, stamp: Stamp) -> dict[str, Any] | None:
        fault = plan.fault
        if fault is None or fault.kind not in _ROW_FAULTS:
            return None
        self._context.stats.faults[fault.kind] += 1
        error = error_of(self._api, fault)
        failed = _SHAPES[self._api].failed_body(ask, error, stamp)
        if fault.kind != "error_event" or failed is None:
            raise error
        return failed
