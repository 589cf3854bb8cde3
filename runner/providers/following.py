"""One stream followed to its end: every event into the assembly, every bad end into an error.

Knows no API's shapes and nothing of how the request was sent.
"""

from collections.abc import Callable
from contextlib import suppress

from runner.errors import ProviderError
from runner.models import Completion
from runner.providers.assembling import StreamAssembly
from runner.providers.base import Delta
from runner.providers.failures import Failures
from runner.providers.faults import Fault, FaultError, fault_in
from runner.providers.patience import Patience
from runner.providers.raw_body import read_json
from runner.providers.sse import SseEvent
from runner.providers.streaming import EventStream, SilenceError, TooMuchError
from runner.providers.transport import Reply
from runner.words import duration

_DONE = "[DONE]"


class Following:
    """Follows one reply."""

    def __init__(
        self,
        reply: Reply,
        events: EventStream,
        assembly: StreamAssembly,
        failures: Failures,
        *,
        whole: Callable[[bytes], Completion],
        idle_s: float,
    ) -> None:
        """`whole` reads a plain body that came in place of a stream."""
        self._reply = reply
        self._events = events
        self._assembly = assembly
        self._failures = failures
        self._whole = whole
        self._idle_s = idle_s
        self._patience = Patience(idle_s)

    async def step(self) -> list[Delta]:
        """Wait for one event and give its text. Raises ProviderError."""
        event = await self._next()
        if event is None and self._events.plain_body is not None:
            return self._adopt(self._events.plain_body)
        if event is None or event.data.strip() == _DONE:
            if not self._assembly.end():
                raise self._cut() if event is None else self._unfinished()
            return []
        return self._take(event)

    async def drain(self) -> None:
        """Read what is left if it comes at once, so that the connection can be used again."""
        with suppress(Exception):  # the answer is whole: how its connection ends changes nothing
            await self._events.drain()

    async def _next(self) -> SseEvent | None:
        assembly = self._assembly
        try:
            return await self._events.next(deadline=self._patience.until(assembly))
        except Exception as error:
            if assembly.ended:
                return None  # the answer is whole; only its token counts may be missing
            if isinstance(error, SilenceError):
                raise self._silent() from None
            if isinstance(error, TooMuchError):
                headers = self._reply.headers
                raise self._failures.of_too_much(headers, self._so_far()) from None
            cut = self._failures.of_transport(
                error,
                began=assembly.started,
                headers=self._reply.headers,
                completion=self._so_far(),
            )
            if assembly.has_output and cut.interruption is None:
                cut.interruption = "connection"
            raise cut from error

    def _take(self, event: SseEvent) -> list[Delta]:
        try:
            value = self._value(event)
            if not isinstance(value, dict):
                return []
            self._patience.renew(value, event.name)
            return self._assembly.feed(value, event.name)
        except FaultError as error:
            if self._assembly.ended:
                return []  # nothing that follows takes back an answer that has ended
            raise self._failures.of_fault(
                error.fault,
                self._reply.headers,
                interruption="provider_error" if self._assembly.has_output else None,
                completion=self._so_far(),
            ) from None

    def _value(self, event: SseEvent) -> object:
        try:
            value, _ = read_json(event.data.encode("utf-8", "replace"))
        except ValueError as error:
            if event.name == "error":  # some write plain words
                raise FaultError(Fault(event.data)) from None
            if self._assembly.ended:
                return None
            raise self._cut(damaged=True) from error
        if event.name == "error" and isinstance(value, str):
            raise FaultError(Fault(value))
        fault = fault_in(value) if isinstance(value, list) else None
        if fault is not None:
            raise FaultError(fault)
        return value

    def _adopt(self, data: bytes) -> list[Delta]:
        completion = self._whole(data)
        self._assembly.adopt(completion)
        return [Delta(completion.text)] if completion.text else []

    def _cut(self, *, damaged: bool = False) -> ProviderError:
        """The stream ended, or cannot be read on, before the provider's terminal signal."""
        how = "sent a damaged event" if damaged else "ended the stream"
        return self._failures.make(
            "bad_response" if damaged else "connection",
            f"{self._failures.address} {how} before the answer was complete",
            retryable=True,
            headers=self._reply.headers,
            interruption="truncated_stream" if self._assembly.started else None,
            completion=self._so_far(),
        )

    def _unfinished(self) -> ProviderError:
        so_far = self._so_far()
        if so_far is None:
            return self._cut()
        return self._failures.of_unfinished(self._reply.headers, so_far)

    def _silent(self) -> ProviderError:
        return self._failures.make(
            "timeout",
            f"{self._failures.address} sent no more of the answer for {duration(self._idle_s)}",
            retryable=True,
            headers=self._reply.headers,
            interruption="idle",
            completion=self._so_far(),
        )

    def _so_far(self) -> Completion | None:
        return self._assembly.completion() if self._assembly.started else None
