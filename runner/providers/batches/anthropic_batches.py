"""Anthropic's Message Batches: rows go with the call that creates a batch, which keeps no tag."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio
import msgspec
from msgspec import Raw

from runner.errors import ProviderError
from runner.models import Completion
from runner.providers.batches.base import Batch, Frame, Limits, Row, State
from runner.providers.batches.calls import CALL_S, SEND_S, SILENCE_S, Calls, decoded
from runner.providers.endpoints import Endpoint
from runner.providers.exchange import HttpProvider

if TYPE_CHECKING:
    import anthropic
    from anthropic.types.messages import MessageBatch

_PATH = "/v1/messages/batches"
_BLOCK = 256 * 1024
_STATES: dict[str, State] = {"in_progress": "working", "canceling": "stopping", "ended": "ended"}
_NOTHING = Raw(b"null")


class _Result(msgspec.Struct):
    type: str
    message: Raw = _NOTHING
    error: Raw = _NOTHING


class _Line(msgspec.Struct):
    custom_id: str
    result: _Result


_line = msgspec.json.Decoder(_Line)


class AnthropicBatches(Calls):
    """Message Batches with one key."""

    limits: Limits = Limits(rows=100_000, bytes=240_000_000)
    frame: Frame = Frame(b'{"requests":[', b",\n", b"]}")
    uploads: bool = False
    tags: bool = False
    page_rows: int = 1000
    keeps: str = "results for 29 days"

    def __init__(
        self, adapter: HttpProvider, client: "anthropic.AsyncAnthropic", place: Endpoint
    ) -> None:
        super().__init__(adapter)
        self._client = client
        self._place = place
        # Each scenario of the simulator is a server of its own.
        self.one_model = adapter.config.simulated

    def row(self, custom_id: str, body: bytes) -> bytes:
        head = f'{{"custom_id":"{custom_id}","params":'.encode()
        return b"".join((head, body, b"}"))

    async def upload(self, path: Path, name: str) -> str:
        raise NotImplementedError("rows go with the call that creates a batch")

    async def uploaded(self, name: str) -> str | None:  # noqa: ARG002 - of the Protocol
        return None

    async def forget(self, upload: str) -> None:
        """Do nothing: there is no upload."""

    async def create(self, path: Path, upload: str | None, tag: str) -> Batch:  # noqa: ARG002 - keeps none
        from anthropic.types.messages import MessageBatch

        async def make() -> Batch:
            # Not `messages.batches.create`: it would hold every row as objects, many times over.
            size = (await anyio.Path(path).stat()).st_size
            headers = {"content-type": "application/json", "content-length": str(size)}
            made = await self._client.post(
                _PATH,
                content=_blocks(path),
                options={"headers": headers, "timeout": SILENCE_S},
                cast_to=MessageBatch,
            )
            return _seen(made)

        return await self._call(make, SEND_S)

    async def look(self, batch_id: str) -> Batch:
        async def see() -> Batch:
            return _seen(await self._client.messages.batches.retrieve(batch_id, timeout=CALL_S))

        return await self._call(see)

    async def _page(self, after: str | None) -> list[Batch]:
        more: dict[str, Any] = {} if after is None else {"after_id": after}
        batches = self._client.messages.batches
        page = await batches.list(limit=self.page_rows, timeout=CALL_S, **more)
        return [_seen(batch) for batch in page.data]

    async def cancel(self, batch_id: str) -> None:
        await self._call(lambda: self._client.messages.batches.cancel(batch_id, timeout=CALL_S))

    @asynccontextmanager
    async def _results(self, part: str) -> AsyncIterator[AsyncIterator[bytes]]:
        import httpx2

        # The SDK would send the key to wherever the answer says.
        self._refuse_elsewhere(part)
        client: Any = self._client  # its signature knows nothing of a raw response
        reply: httpx2.Response = await client.get(
            part,
            cast_to=httpx2.Response,
            options={
                "headers": {"Accept": "application/binary"},
                "timeout": SILENCE_S,
                "follow_redirects": False,
            },
            stream=True,
            stream_cls=type(None),  # asked for by the signature; a raw response never builds it
        )
        try:
            yield reply.aiter_bytes()
        finally:
            await reply.aclose()

    def _refuse_elsewhere(self, url: str) -> None:
        ours, theirs = urlsplit(self._place.base_url), urlsplit(url)
        if theirs.hostname == ours.hostname and theirs.scheme in (ours.scheme, "https"):
            return
        raise self._adapter.unusable(
            f"the results are said to be at {theirs.netloc or url}, not at {ours.netloc}:"
            " they were not fetched, for the key would go there",
            retryable=False,
        )

    def _line(self, line: bytes) -> _Line | None:
        return decoded(line, _line)

    def read(self, line: bytes) -> Row | None:
        found = self._line(line)
        if found is None:
            return None
        result = found.result
        try:
            return Row(custom_id=found.custom_id, completion=self._completion(result))
        except ProviderError as error:
            # Only what succeeded is billed, an answer that cannot be used included.
            return Row(custom_id=found.custom_id, error=error, free=result.type != "succeeded")

    def _completion(self, result: _Result) -> Completion:
        if result.type == "succeeded":
            return self._adapter.answer({}, bytes(result.message))
        if result.type == "errored":
            raise self._adapter.reported(msgspec.json.decode(result.error))
        if result.type == "expired":
            words = "the batch expired before this request was begun"
            raise ProviderError("timeout", words, retryable=True, code="batch_expired")
        if result.type == "canceled":
            words = "the batch was cancelled before this request was begun"
            raise ProviderError("provider", words, retryable=True, code="batch_cancelled")
        raise self._adapter.unusable(f"a result of an unknown type: {result.type}", retryable=True)


def _seen(batch: "MessageBatch") -> Batch:
    counts = batch.request_counts
    done = counts.succeeded + counts.errored + counts.canceled + counts.expired
    return Batch(
        id=batch.id,
        state=_STATES.get(batch.processing_status, "working"),
        word=str(batch.processing_status),
        rows=counts.processing + done,
        done=done,
        created_at=batch.created_at.timestamp(),
        ended_at=None if batch.ended_at is None else batch.ended_at.timestamp(),
        expires_at=batch.expires_at.timestamp(),
        results=() if batch.results_url is None else (batch.results_url,),
    )


async def _blocks(path: Path) -> AsyncGenerator[bytes, None]:
    async with await anyio.open_file(path, "rb") as file:
        while block := await file.read(_BLOCK):
            yield block
