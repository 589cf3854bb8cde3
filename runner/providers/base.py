"""What the engine expects of a provider: the contract of the seam."""

import math
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from runner.models import Api, Completion, Request


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of streamed text, as the provider sent it."""

    text: str
    kind: Literal["text", "reasoning"] = "text"


class Assembly(Protocol):
    """One streamed answer being put together; it can be read at any moment, also after a cut."""

    def completion(self) -> Completion:
        """What has come so far; `finish_reason` is None and usage incomplete if it did not end."""


class Provider(Protocol):
    """One API at one address with one key. Safe to share among tasks of one event loop."""

    name: str
    api: Api

    def body(self, model: str, request: Request, *, stream: bool) -> dict[str, Any]:
        """Put the request into this API's shape, runner's own defaults included.

        Where files are attached they are read: call it in a thread then. Raises ProviderError
        where one is not any more what it was when the job was checked.
        """

    def must_stream(self, body: Mapping[str, Any]) -> bool:
        """Whether the answer may run past what this API allows in a call that does not stream."""

    async def complete(
        self, body: Mapping[str, Any], *, timeout_s: float, within_s: float = math.inf
    ) -> Completion:
        """Ask and wait for the whole answer.

        Raises ProviderError for every failure, and TimeoutError where there is no answer within
        `within_s`; `timeout_s` bounds single socket operations. Cancellation closes the connection,
        and so does the end of that time.
        """

    def assembly(self) -> Assembly:
        """A fresh assembly for one streamed answer."""

    def stream(
        self, body: Mapping[str, Any], assembly: Assembly, *, timeout_s: float, idle_s: float
    ) -> AsyncGenerator[Delta, None]:
        """Ask and yield the text as it arrives, filling `assembly` on the way.

        `idle_s` bounds the wait for the next event once the model's words have begun, whatever
        bytes come meanwhile.

        Ends normally only after the provider's terminal signal. Raises ProviderError for every
        failure, with `interruption` set if the answer had begun. Cancelling or closing the iterator
        closes the connection; `assembly` then still holds what had come.
        """

    async def aclose(self) -> None:
        """Close all connections."""
