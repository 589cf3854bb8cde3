"""Anthropic's Message Batches: rows go with the call that creates a batch, which keeps no tag."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio
import msgspec
from msgspec import Raw

from runner.errors import ProviderError
from runner.models import Completion
from runner.providers.batches.base import Batch, Frame, Limits, Row, State
from runner.providers.batches.calls import (
    CALL_S,
    SEND_S,
    SILENCE_S,
    Calls,
    append,
    decoded,
    first_line,
)
from runner.providers.endpoints import Endpoint
from runner.providers.exchange import HttpProvider

if TYPE_CHECKING:
    import anthropic
    import httpx2
    from anthropic.types.messages import MessageBatch

_PATH = "/v1/messages/batches"
_PAGE = 1000
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

    async def listed(self, since: float) -> AsyncGenerator[Batch, None]:
        after: str | None = None
        while True:
            page = await self._page(after)
            for batch in page:
                if batch.created_at < since:
                    return
                yield batch
            if len(page) < _PAGE:
                return
            after = page[-1].id

    async def _page(self, after: str | None) -> list[Batch]:
        async def read() -> list[Batch]:
            more: dict[str, Any] = {} if after is None else {"after_id": after}
            page = await self._client.messages.batches.list(limit=_PAGE, timeout=CALL_S, **more)
            return [_seen(batch) for batch in page.data]

        return await self._call(read)

    async def cancel(self, batch_id: str) -> None:
        await self._call(lambda: self._client.messages.batches.cancel(batch_id, timeout=CALL_S))

    async def fetch(self, batch: Batch, into: Path) -> None:
        await anyio.Path(into).unlink(missing_ok=True)
        for url in batch.results:
            await self._call(partial(self._download, url, into), SEND_S)

    async def _download(self, url: str, into: Path) -> None:
        async with self._results(url) as reply:
            await append(reply.aiter_bytes(), into)

    async def first_id(self, batch: Batch) -> str | None:
        for url in batch.results:
            line = await self._call(partial(self._first_line, url))
            found = decoded(line, _line)
            if found is not None:
                return found.custom_id
        return None

    async def _first_line(self, url: str) -> bytes:
        async with self._results(url) as reply:
            return await first_line(reply.aiter_bytes())

    @asynccontextmanager
    async def _results(self, url: str) -> AsyncIterator["httpx2.Response"]:
        import httpx2

        # The SDK would send the key to wherever the answer says.
        self._refuse_elsewhere(url)
        client: Any = self._client  # its signature knows nothing of a raw response
        reply: httpx2.Response = await client.get(
            url,
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
            yield reply
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

    def named(self, line: bytes) -> str | None:
        found = decoded(line, _line)
        return None if found is None else found.custom_id

    def read(self, line: bytes) -> Row | None:
        found = decoded(line, _line)
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
