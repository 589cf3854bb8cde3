"""One API endpoint as an ASGI application: check, admit, plan, answer, count."""

import itertools
import math
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import msgspec

from runner.simulator import chat, messages, responses_events
from runner.simulator.answers import Answer, write_answer
from runner.simulator.ask import Api, Ask, read_ask
from runner.simulator.cache import Found, PromptCache
from runner.simulator.delivery import Delivery
from runner.simulator.errors import ApiError
from runner.simulator.exchange import Exchange, Send
from runner.simulator.faults import before_the_answer
from runner.simulator.flex import at_flex
from runner.simulator.headers import rate_headers, request_id_header, retry_headers
from runner.simulator.limits import Charge, Limiter, LimitReachedError
from runner.simulator.plan import Plan, make_plan
from runner.simulator.scenario import Scenario
from runner.simulator.shapes import Shape, Stamp
from runner.simulator.stats import Stats
from runner.simulator.strict import check_key, check_model, read_body
from runner.simulator.wire import GoneError, Wire

Receive = Callable[[], Awaitable[dict[str, Any]]]
_SHAPES: MappingProxyType[Api, Shape] = MappingProxyType(
    {"chat": chat, "responses": responses_events, "messages": messages}
)


class Endpoint:
    """Answers the POST requests of one API."""

    def __init__(
        self, api: Api, scenario: Scenario, stats: Stats, limiter: Limiter, cache: PromptCache
    ) -> None:
        self._api = api
        self._scenario = scenario
        self._stats = stats
        self._limiter = limiter
        self._cache = cache
        self._prefix = secrets.token_hex(6)
        self._serials = itertools.count(1)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        headers = {
            key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]
        }
        serial = f"{self._prefix}{next(self._serials):08x}"
        wire: Wire = scope["state"]["wire"]
        exchange = Exchange(send, wire, [request_id_header(self._api, f"req_{serial}")])
        self._stats.arrived(self._api, headers.get("x-stainless-retry-count", "none"))
        try:
            raw = await _read(receive)
            wire.watch()
            await self._serve(exchange, headers, raw, serial)
        except ApiError as error:
            await self._refuse(exchange, error, serial)
        except GoneError:
            self._stats.disconnects += 1
        finally:
            self._stats.left()

    async def _serve(
        self, exchange: Exchange, headers: dict[str, str], raw: bytes, serial: str
    ) -> None:
        check_key(self._api, headers)
        body = read_body(self._api, headers, raw)
        check_model(self._api, self._scenario, body["model"])
        ask = read_ask(self._api, body)
        self._stats.understood(ask)
        ask = at_flex(self._scenario, self._stats, ask)
        plan = make_plan(self._scenario, ask, self._stats.attempts(ask) + 1)
        answers = [
            write_answer(ask, self._scenario.answer, plan.reply, choice)
            for choice in range(ask.choices)
        ]
        found = self._cache.look_up(ask)
        ask = found.ask
        charge = self._admit(exchange, ask, answers)
        plan = plan.beside(self._limiter.active)
        self._stats.admitted(ask)
        delivery = Delivery(exchange, _SHAPES[self._api], ask, answers, plan)
        try:
            await self._deliver(exchange, found, plan, delivery, serial)
        except GoneError:
            self._cache.withdraw(found)
            raise
        finally:
            used = ask.limited_tokens if delivery.sent else 0
            self._limiter.settle(charge, used, delivery.sent)
            if delivery.sent and not delivery.done:
                self._stats.broken_off(ask, delivery.sent)

    async def _deliver(
        self, exchange: Exchange, found: Found, plan: Plan, delivery: Delivery, serial: str
    ) -> None:
        ask = found.ask
        if plan.fault:
            self._stats.faults[plan.fault.kind] += 1
            if await before_the_answer(exchange, self._api, plan.fault):
                return
        self._cache.keep(found, plan.first_token_s)
        stamp = Stamp(serial=serial, created=int(time.time()))
        if await (delivery.streamed(stamp) if ask.stream else delivery.whole(stamp)):
            delivery.done = True
            self._stats.delivered(ask, delivery.total, delivery.reasoning)

    def _admit(self, exchange: Exchange, ask: Ask, answers: list[Answer]) -> Charge:
        written = sum(answer.tokens for answer in answers)
        most = written if ask.cap is None else ask.cap * ask.choices
        try:
            charge = self._limiter.admit(ask.limited_tokens, most)
        except LimitReachedError as reached:
            self._add_rate_headers(exchange)
            raise _limit_error(self._api, ask, reached) from None
        self._add_rate_headers(exchange)
        return charge

    def _add_rate_headers(self, exchange: Exchange) -> None:
        gauges = self._limiter.gauges()
        if gauges:
            exchange.headers += rate_headers(self._api, gauges, datetime.now(UTC))

    async def _refuse(self, exchange: Exchange, error: ApiError, serial: str) -> None:
        self._stats.refused(error.status)
        exchange.headers += retry_headers(self._api, error.retry_after_s)
        body = error.body(self._api, f"req_{serial}")
        try:
            await exchange.reply(error.status, "application/json", msgspec.json.encode(body))
        except GoneError:
            self._stats.disconnects += 1


async def _read(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _limit_error(api: Api, ask: Ask, reached: LimitReachedError) -> ApiError:
    wait = reached.retry_after_s
    again = "" if wait is None else f" Please try again in {math.ceil(wait * 1000)}ms."
    message = f"Rate limit reached for {ask.model} on {reached.name}: limit {reached.limit}.{again}"
    if api == "messages":
        return ApiError(429, message, retry_after_s=wait)
    kind = "requests" if "request" in reached.name else "tokens"
    code = "rate_limit_exceeded"
    return ApiError(429, message, code=code, kind=kind, retry_after_s=wait)
