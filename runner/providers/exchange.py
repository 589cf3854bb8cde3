"""One request and its answer over HTTP, whole or streamed: what the three APIs have in common.

Knows no API's shapes; a subclass gives its path, its body, its assembly and its reading.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from functools import partial
from typing import Any, ClassVar

import anyio
import msgspec

from runner.config import ProviderConfig
from runner.errors import ProviderError
from runner.models import Api, Completion, Request
from runner.providers.assembling import StreamAssembly, unfinished
from runner.providers.base import Assembly, Delta
from runner.providers.endpoints import Endpoint
from runner.providers.failures import Failures
from runner.providers.faults import FaultError, fault_in, fault_of
from runner.providers.following import Following
from runner.providers.raw_body import in_utf8, read_json
from runner.providers.secrecy import Secrecy
from runner.providers.streaming import EventStream, TooMuchError, is_labelled, read_whole
from runner.providers.transport import Reply, Transport

_CLOSE_TIMEOUT_S = 2.0

Body = Mapping[str, Any] | bytes
"""A request's body, or the JSON that was made of it already."""


class HttpProvider(ABC):
    """A Provider over one transport. Safe to share among tasks of one event loop."""

    api: Api
    path: ClassVar[str]
    unfinished_advice: ClassVar[str] = ""
    """What to do where a server's answers never say that they are complete."""

    def __init__(self, config: ProviderConfig, endpoint: Endpoint, transport: Transport) -> None:
        self.name = config.name
        self.config = config
        self._transport = transport
        self._secrecy = Secrecy(endpoint.secrets)
        self._failures = Failures(
            endpoint.address, endpoint.secrets, unfinished_advice=self.unfinished_advice
        )

    @abstractmethod
    def body(self, model: str, request: Request, *, stream: bool) -> dict[str, Any]:
        """Put the request into this API's shape, runner's own defaults included."""

    @abstractmethod
    def read(self, body: dict[str, Any]) -> Completion:
        """Map a body to a completion. Raises FaultError, or ValueError for what is no answer."""

    def came(self, body: dict[str, Any]) -> Completion | None:  # noqa: ARG002 - most have nothing
        """What a body that reports an error holds of an answer all the same."""
        return None

    @abstractmethod
    def is_ended(self, body: dict[str, Any]) -> bool:
        """Whether a body says that the provider ended its answer."""

    @abstractmethod
    def assembly(self) -> StreamAssembly:
        """A fresh assembly for one streamed answer."""

    def must_stream(self, body: Mapping[str, Any]) -> bool:  # noqa: ARG002 - asked by the Protocol
        """Whether the answer may run past what this API allows in a call that does not stream."""
        return False

    async def complete(
        self, body: Body, *, timeout_s: float, within_s: float = math.inf
    ) -> Completion:
        """Ask and wait for the whole answer; see `Provider.complete`."""
        if within_s < math.inf:
            with anyio.fail_after(within_s):
                return await self._complete(body, timeout_s)
        return await self._complete(body, timeout_s)

    async def _complete(self, body: Body, timeout_s: float) -> Completion:
        reply = await self._send(body, timeout_s)
        try:
            if is_labelled(reply):  # some servers always stream
                return await self._streamed_unasked(reply, body, timeout_s)
            data = await read_whole(reply)
        except ProviderError:
            raise
        except TooMuchError:
            raise self._failures.of_too_much(reply.headers) from None
        except Exception as error:
            raise self._failures.of_transport(error, began=True, headers=reply.headers) from error
        finally:
            await _close(reply)
        return self.answer(reply.headers, data)

    async def _streamed_unasked(self, reply: Reply, body: Body, timeout_s: float) -> Completion:
        assembly = self.assembly()
        async with aclosing(self._followed(reply, body, assembly, idle_s=timeout_s)) as deltas:
            async for _ in deltas:
                pass
        return assembly.completion()

    async def stream(
        self, body: Body, assembly: Assembly, *, timeout_s: float, idle_s: float
    ) -> AsyncGenerator[Delta, None]:
        """Ask and yield the text as it arrives; see `Provider.stream`."""
        if not isinstance(assembly, StreamAssembly):
            raise TypeError("a stream fills an assembly of its own provider")
        if self.config.idle_timeout_s is not None:
            idle_s = self.config.idle_timeout_s
        reply = await self._send(body, timeout_s)
        try:
            async with aclosing(self._followed(reply, body, assembly, idle_s=idle_s)) as deltas:
                async for delta in deltas:
                    yield delta
        finally:
            await _close(reply)

    async def _followed(
        self, reply: Reply, body: Body, assembly: StreamAssembly, *, idle_s: float
    ) -> AsyncGenerator[Delta, None]:
        assembly.request_id = self._failures.request_id(reply.headers)
        assembly.quota = self._failures.quota(reply.headers)
        assembly.expect(msgspec.json.decode(body) if isinstance(body, bytes) else body)
        following = Following(
            reply,
            EventStream(reply, self._secrecy.of_text),
            assembly,
            self._failures,
            whole=partial(self.answer, reply.headers),
            idle_s=idle_s,
        )
        while not assembly.closed:
            for delta in await following.step():
                yield delta
        await following.drain()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    def written(self, body: Body) -> bytes:
        """Write a body as JSON. Raises ProviderError."""
        if isinstance(body, bytes):
            return body
        try:
            return msgspec.json.encode(body)
        except (UnicodeEncodeError, TypeError, ValueError) as error:
            message = f"the request cannot be written as JSON: {error}"
            raise self._failures.make("invalid_request", message, retryable=False) from error

    def failure(self, error: BaseException) -> ProviderError:
        """Translate what an SDK or an HTTP library raised."""
        return self._failures.of_exception(error)

    def refused(self, status: int, headers: Mapping[str, str], data: bytes) -> ProviderError:
        """Read a body that came with a status that is no success."""
        return self._failures.of_response(status, headers, self._secrecy.of_bytes(data))

    def reported(self, error: object) -> ProviderError:
        """Read an error that stands in a list of results, with no status of its own."""
        failure = self._failures.of_fault(fault_of(error), {})
        failure.http_status = None
        return failure

    def unusable(self, message: str, *, retryable: bool) -> ProviderError:
        """Say of something that it is not what this API answers with."""
        return self._failures.make("bad_response", message, retryable=retryable)

    async def _send(self, body: Body, timeout_s: float) -> Reply:
        content = self.written(body)
        try:
            return await self._transport.send(self.path, content, timeout_s=timeout_s)
        except Exception as error:
            raise self._failures.of_exception(error) from error

    def answer(self, headers: Mapping[str, str], data: bytes) -> Completion:
        """Read a whole body that came as an answer. Raises ProviderError where it is none."""
        data = self._secrecy.of_bytes(in_utf8(data, headers.get("content-type", "")))
        try:
            value, raw = read_json(data)
            if not isinstance(value, dict):
                raise self._failures.of_unusable(headers, data)
            completion = self._answer_in(value)
        except FaultError as error:
            came = error.came
            raise self._failures.of_fault(
                error.fault,
                headers,
                interruption="provider_error" if came is not None and came.text else None,
                completion=None if came is None else unfinished(came, response=raw),
            ) from None
        except ValueError:
            raise self._failures.of_unusable(headers, data) from None
        completion = msgspec.structs.replace(
            completion,
            response=raw,
            request_id=self._failures.request_id(headers),
            quota=self._failures.quota(headers),
        )
        if not self.is_ended(value):
            raise self._failures.of_unfinished(headers, completion)
        return completion

    def _answer_in(self, body: dict[str, Any]) -> Completion:
        fault = fault_in(body)
        if fault is not None:
            raise FaultError(fault, self.came(body))
        return self.read(body)


async def _close(reply: Reply) -> None:
    if reply.is_closed:
        return
    # Closing a connection that is broken may fail, and there is nothing to be done about it.
    with anyio.move_on_after(_CLOSE_TIMEOUT_S, shield=True), suppress(Exception):
        await reply.aclose()
