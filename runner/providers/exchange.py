"""One request and its answer over HTTP, whole or streamed: what the three APIs have in common.

Knows no API's shapes; a subclass gives its path, its body, its assembly and its reading.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Any, ClassVar

import anyio
import msgspec

from runner.config import ProviderConfig
from runner.errors import ProviderError
from runner.models import Api, Completion, Request
from runner.providers.assembling import StreamAssembly
from runner.providers.base import Assembly, Delta
from runner.providers.endpoints import Endpoint
from runner.providers.failures import Failures, request_id_in
from runner.providers.faults import FaultError, fault_in
from runner.providers.raw_body import read_json
from runner.providers.sse import SseEvent
from runner.providers.streaming import EventStream
from runner.providers.transport import Reply, Transport

_CLOSE_TIMEOUT_S = 2.0


class HttpProvider(ABC):
    """A Provider over one transport. Safe to share among tasks of one event loop."""

    api: Api
    path: ClassVar[str]

    def __init__(self, config: ProviderConfig, endpoint: Endpoint, transport: Transport) -> None:
        self.name = config.name
        self.config = config
        self._transport = transport
        self._secrets = tuple(secret.encode() for secret in endpoint.secrets)
        self._address = endpoint.address
        self._failures = Failures(endpoint.address, endpoint.secrets)

    @abstractmethod
    def body(self, model: str, request: Request, *, stream: bool) -> dict[str, Any]:
        """Put the request into this API's shape, runner's own defaults included."""

    @abstractmethod
    def read(self, body: dict[str, Any]) -> Completion:
        """Map a body to a completion. Raises FaultError, or ValueError for what is no answer."""

    @abstractmethod
    def assembly(self) -> StreamAssembly:
        """A fresh assembly for one streamed answer."""

    def must_stream(self, body: Mapping[str, Any]) -> bool:  # noqa: ARG002 - asked by the Protocol
        """Whether the answer may run past what this API allows in a call that does not stream."""
        return False

    async def complete(self, body: Mapping[str, Any], *, timeout_s: float) -> Completion:
        """Ask and wait for the whole answer; see `Provider.complete`."""
        reply = await self._send(body, timeout_s)
        try:
            data = await reply.aread()
        except Exception as error:
            raise self._failures.of_transport(error, began=True) from error
        finally:
            await _close(reply)
        return self._whole(reply, data)

    async def stream(
        self, body: Mapping[str, Any], assembly: Assembly, *, timeout_s: float
    ) -> AsyncGenerator[Delta, None]:
        """Ask and yield the text as it arrives; see `Provider.stream`."""
        if not isinstance(assembly, StreamAssembly):
            raise TypeError("a stream fills an assembly of its own provider")
        reply = await self._send(body, timeout_s)
        assembly.request_id = request_id_in(reply.headers)
        events = EventStream(reply, self._scrub)
        try:
            while not assembly.closed:
                event = await self._next(events, assembly)
                for delta in self._take(event, events, assembly, reply):
                    yield delta
            await _drain(events)
        finally:
            await _close(reply)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    async def _send(self, body: Mapping[str, Any], timeout_s: float) -> Reply:
        try:
            content = msgspec.json.encode(body)
        except (UnicodeEncodeError, TypeError, ValueError) as error:
            message = f"the request cannot be written as JSON: {error}"
            raise self._failures.make("invalid_request", message, retryable=False) from error
        try:
            return await self._transport.send(self.path, content, timeout_s=timeout_s)
        except Exception as error:
            raise self._failures.of_exception(error) from error

    async def _next(self, events: EventStream, assembly: StreamAssembly) -> SseEvent | None:
        try:
            return await events.next(hurry=assembly.ended)
        except Exception as error:
            if assembly.ended:
                return None  # the answer is whole; only its token counts may be missing
            cut = self._failures.of_transport(
                error, began=assembly.started, completion=_so_far(assembly)
            )
            if assembly.has_output and cut.interruption is None:
                cut.interruption = "connection"
            raise cut from error

    def _take(
        self,
        event: SseEvent | None,
        events: EventStream,
        assembly: StreamAssembly,
        reply: Reply,
    ) -> list[Delta]:
        if event is None and events.plain_body is not None:
            return self._adopt(events.plain_body, assembly, reply)
        if event is None or event.data.strip() == "[DONE]":
            if not assembly.ended:
                raise self._truncated(assembly, reply)
            assembly.closed = True
            return []
        try:
            value, _ = read_json(event.data.encode("utf-8", "replace"))
        except ValueError as error:
            raise self._truncated(assembly, reply, damaged=True) from error
        if not isinstance(value, dict):
            return []
        try:
            return assembly.feed(value, event.name)
        except FaultError as error:
            raise self._failures.of_fault(
                error.fault,
                reply.headers,
                interruption="provider_error" if assembly.has_output else None,
                completion=_so_far(assembly),
            ) from None

    def _truncated(
        self, assembly: StreamAssembly, reply: Reply, *, damaged: bool = False
    ) -> ProviderError:
        """The stream ended, or cannot be read on, before the provider's terminal signal."""
        how = "sent a damaged event" if damaged else "ended the stream"
        return self._failures.make(
            "bad_response" if damaged else "connection",
            f"{self._address} {how} before the answer was complete",
            retryable=True,
            headers=reply.headers,
            interruption="truncated_stream" if assembly.started else None,
            completion=_so_far(assembly),
        )

    def _adopt(self, data: bytes, assembly: StreamAssembly, reply: Reply) -> list[Delta]:
        """Take a plain body that came in place of a stream."""
        completion = self._whole(reply, data)
        assembly.adopt(completion)
        return [Delta(completion.text)] if completion.text else []

    def _whole(self, reply: Reply, data: bytes) -> Completion:
        data = self._scrub(data)
        try:
            value, raw = read_json(data)
            if not isinstance(value, dict) or fault_in(value) is not None:
                raise self._failures.of_unusable(reply.headers, data)
            completion = self.read(value)
        except FaultError as error:
            raise self._failures.of_fault(error.fault, reply.headers) from None
        except ValueError:
            raise self._failures.of_unusable(reply.headers, data) from None
        return msgspec.structs.replace(
            completion, response=raw, request_id=request_id_in(reply.headers)
        )

    def _scrub(self, data: bytes) -> bytes:
        for secret in self._secrets:
            if secret in data:
                data = data.replace(secret, b"***")
        return data


def _so_far(assembly: StreamAssembly) -> Completion | None:
    return assembly.completion() if assembly.started else None


async def _drain(events: EventStream) -> None:
    with suppress(Exception):  # the answer is whole: how its connection ends changes nothing
        await events.drain()


async def _close(reply: Reply) -> None:
    if reply.is_closed:
        return
    # Closing a connection that is broken may fail, and there is nothing to be done about it.
    with anyio.move_on_after(_CLOSE_TIMEOUT_S, shield=True), suppress(Exception):
        await reply.aclose()
