"""What all streamed assemblies share: the flags that the exchange steers by, and the reading out.

Knows no API; each one puts its own events together in a subclass.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from runner.models import Completion
from runner.providers.base import Delta
from runner.providers.raw_body import write_json
from runner.quota import Quota


class StreamAssembly(ABC):
    """One streamed answer, put together into the shape of the body that does not stream."""

    started = False
    """Something of the answer came."""
    has_output = False
    """Some of the model's own words came."""
    ended = False
    """The provider's terminal signal came: the answer is whole."""
    closed = False
    """Nothing more is to be waited for."""
    request_id: str | None = None
    quota: Quota | None = None

    def __init__(self, read: Callable[[dict[str, Any]], Completion]) -> None:
        """`read` maps a body of this API to a completion, the same as without streaming."""
        self._read = read
        self._adopted: Completion | None = None

    def expect(self, body: Mapping[str, Any]) -> None:  # noqa: B027 - most need not know
        """Take note of what was asked for."""

    @abstractmethod
    def feed(self, event: dict[str, Any], name: str) -> list[Delta]:
        """Take one event, named by its `event:` line or by nothing; return its text.

        Raises FaultError for the provider's own errors.
        """

    @abstractmethod
    def body(self) -> dict[str, Any] | None:
        """The answer so far, in the shape of the whole body; None before anything came."""

    def end(self) -> bool:
        """Take note that the stream ended in good order; tell whether the answer is whole."""
        self.closed = self.ended
        return self.ended

    def adopt(self, completion: Completion) -> None:
        """Take an answer that came whole."""
        self._adopted = completion
        self.started = self.ended = self.closed = True

    def completion(self) -> Completion:
        """What has come so far; `finish_reason` is None and usage incomplete if it did not end."""
        if self._adopted is not None:
            return self._adopted
        body = self.body()
        if body is None:
            return Completion(request_id=self.request_id, quota=self.quota)
        read = self._read(body)
        return msgspec.structs.replace(
            read if self.ended else unfinished(read),
            response=write_json(body),
            request_id=self.request_id,
            quota=self.quota,
        )


def unfinished(came: Completion, **more: Any) -> Completion:
    """What came of an answer that did not end: no finish reason, and no final token counts.

    Nor a tier: until its end a stream may name the one that was asked for.
    """
    usage = came.usage
    if usage is not None:
        usage = msgspec.structs.replace(usage, complete=False)
    return msgspec.structs.replace(came, usage=usage, finish_reason=None, service_tier=None, **more)
