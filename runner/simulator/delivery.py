"""Answers on schedule, whole or streamed, and broken where the plan says so."""

import msgspec

from runner.simulator.answers import Answer
from runner.simulator.ask import Ask
from runner.simulator.exchange import Exchange
from runner.simulator.faults import cut, error_of
from runner.simulator.plan import Plan
from runner.simulator.scenario import Fault
from runner.simulator.shapes import Shape, Stamp, Stream

_JSON = "application/json"
_EVENTS = "text/event-stream; charset=utf-8"


class Delivery:
    """One answer and how far it has come."""

    def __init__(
        self, exchange: Exchange, shape: Shape, ask: Ask, answers: list[Answer], plan: Plan
    ) -> None:
        self._exchange = exchange
        self._shape = shape
        self._ask = ask
        self._answers = answers
        self._plan = plan
        self.total = sum(answer.tokens for answer in answers)
        self.reasoning = sum(len(answer.reasoning) for answer in answers)
        self.sent = 0
        """Tokens delivered so far."""
        self.done = False
        """Whether all of it went out unbroken."""

    async def whole(self, stamp: Stamp) -> bool:
        """Send the answer as one body; return whether it went out unbroken.

        Raises:
            ApiError: the fault of the plan is an error.
            GoneError: the caller left.
        """
        longest = max(answer.tokens for answer in self._answers)
        await self._exchange.at(self._moment(longest))
        fault = self._plan.fault
        body = self._shape.body(self._ask, self._answers, stamp)
        if fault is None:
            await self._exchange.reply(200, _JSON, msgspec.json.encode(body))
            self.sent = self.total
            return True
        if fault.kind == "error_event":
            error = error_of(self._ask.api, fault)
            failed = self._shape.failed_body(self._ask, error, stamp)
            if failed is None:
                raise error
            await self._exchange.reply(200, _JSON, msgspec.json.encode(failed))
            return False
        await self._half(fault, msgspec.json.encode(body))
        return False

    async def streamed(self, stamp: Stamp) -> bool:
        """Send the answer as events, each in a write of its own; return whether unbroken.

        Raises:
            GoneError: the caller left.
        """
        fault = self._plan.fault
        stream = self._shape.stream(self._ask, self._answers, stamp)
        await self._exchange.start(200, _EVENTS)
        await self._send(stream, self._breaking_point(fault) if fault else None)
        if fault and fault.kind == "error_event":
            error = error_of(self._ask.api, fault)
            await self._exchange.write(stream.error(error, fault.form))
        elif fault and fault.kind != "truncate":
            await cut(self._exchange, fault)
            return False
        await self._exchange.write(b"", last=True)
        return fault is None

    async def _send(self, stream: Stream, stop: int | None) -> None:
        if stop == 0:
            return
        for piece in stream.pieces():
            if piece.due is not None:
                await self._exchange.at(self._moment(piece.due))
            await self._exchange.write(piece.data)
            self.sent += piece.delta
            if stop is not None and self.sent >= stop:
                return

    def _moment(self, tokens: int) -> float:
        return self._plan.first_token_s + tokens / self._plan.tokens_per_second

    def _breaking_point(self, fault: Fault) -> int:
        if fault.after_tokens is None:
            return max(1, self.total // 2)
        return min(fault.after_tokens, self.total)

    async def _half(self, fault: Fault, body: bytes) -> None:
        share = self._breaking_point(fault) / max(1, self.total)
        part = body[: int(len(body) * min(share, 0.9))]
        if fault.kind == "truncate":
            await self._exchange.reply(200, _JSON, part)
            return
        await self._exchange.start(200, _JSON, len(body))
        await self._exchange.write(part)
        await cut(self._exchange, fault)
