"""OpenAI's Batches, for Chat Completions and Responses: files up, files down."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from runner.errors import ProviderError
from runner.models import Completion
from runner.providers.batches.base import Batch, Frame, Limits, LineFault, Row, State
from runner.providers.batches.calls import CALL_S, SEND_S, SILENCE_S, Calls, decoded
from runner.providers.exchange import HttpProvider

if TYPE_CHECKING:
    import openai
    from openai.types import Batch as SdkBatch

TAG = "runner_chunk"
_FILES_PAGE = 10_000
_STATES: dict[str, State] = {
    "validating": "working",
    "in_progress": "working",
    "finalizing": "working",
    "cancelling": "stopping",
    "failed": "refused",
    "completed": "ended",
    "expired": "ended",
    "cancelled": "ended",
}
_UNASKED = frozenset({"batch_expired", "batch_cancelled"})
_NOTHING = Raw(b"null")


class _Response(msgspec.Struct):
    status_code: int = 0
    request_id: str | None = None
    body: Raw = _NOTHING


class _Line(msgspec.Struct):
    custom_id: str
    response: _Response | None = None
    error: dict[str, Any] | None = None


_line = msgspec.json.Decoder(_Line)


class OpenAIBatches(Calls):
    """Batches of one endpoint with one key."""

    limits: Limits = Limits(rows=50_000, bytes=190_000_000)
    frame: Frame = Frame(b"", b"\n", b"\n")
    one_model: bool = True
    uploads: bool = True
    tags: bool = True
    page_rows: int = 100
    keeps: str = "files for 30 days"

    def __init__(self, adapter: HttpProvider, client: "openai.AsyncOpenAI") -> None:
        super().__init__(adapter)
        self._client = client
        self._endpoint: Any = "/v1" + adapter.path

    def row(self, custom_id: str, body: bytes) -> bytes:
        head = f'{{"custom_id":"{custom_id}","method":"POST","url":"{self._endpoint}","body":'
        return b"".join((head.encode(), body, b"}"))

    async def upload(self, path: Path, name: str) -> str:
        async def send() -> str:
            # An open file is sent piece by piece; by its path the SDK would read it whole.
            with path.open("rb") as file:
                sent = await self._client.files.create(
                    file=(name, file), purpose="batch", timeout=SILENCE_S
                )
            return sent.id

        return await self._call(send, SEND_S)

    async def uploaded(self, name: str) -> str | None:
        async def find() -> str | None:
            files = await self._client.files.list(
                purpose="batch", limit=_FILES_PAGE, timeout=CALL_S
            )
            return next((file.id for file in files.data if file.filename == name), None)

        return await self._call(find)

    async def forget(self, upload: str) -> None:
        await self._call(lambda: self._client.files.delete(upload, timeout=CALL_S))

    async def create(self, path: Path, upload: str | None, tag: str) -> Batch:  # noqa: ARG002 - uploaded before
        async def make() -> Batch:
            return self._seen(
                await self._client.batches.create(
                    input_file_id=upload or "",
                    endpoint=self._endpoint,
                    completion_window="24h",
                    metadata={TAG: tag},
                    timeout=CALL_S,
                )
            )

        return await self._call(make)

    async def look(self, batch_id: str) -> Batch:
        async def see() -> Batch:
            return self._seen(await self._client.batches.retrieve(batch_id, timeout=CALL_S))

        return await self._call(see)

    async def _page(self, after: str | None) -> list[Batch]:
        more: dict[str, Any] = {} if after is None else {"after": after}
        page = await self._client.batches.list(limit=self.page_rows, timeout=CALL_S, **more)
        return [self._seen(batch) for batch in page.data]

    async def cancel(self, batch_id: str) -> None:
        await self._call(lambda: self._client.batches.cancel(batch_id, timeout=CALL_S))

    @asynccontextmanager
    async def _results(self, part: str) -> AsyncIterator[AsyncIterator[bytes]]:
        content = self._client.files.with_streaming_response.content
        async with content(part, timeout=SILENCE_S) as reply:
            yield reply.iter_bytes()

    def _line(self, line: bytes) -> _Line | None:
        return decoded(line, _line)

    def read(self, line: bytes) -> Row | None:
        found = self._line(line)
        if found is None:
            return None
        try:
            return Row(custom_id=found.custom_id, completion=self._completion(found))
        except ProviderError as error:
            free = (found.error or {}).get("code") in _UNASKED
            return Row(custom_id=found.custom_id, error=error, free=free)

    def _completion(self, line: _Line) -> Completion:
        response = line.response
        if response is None:
            raise self._unanswered(line.error or {})
        headers = {} if response.request_id is None else {"x-request-id": response.request_id}
        if 200 <= response.status_code < 300:
            return self._adapter.answer(headers, bytes(response.body))
        if response.status_code < 300:  # 0 was seen
            raise self._adapter.reported(msgspec.json.decode(response.body))
        raise self._adapter.refused(response.status_code, headers, bytes(response.body))

    def _unanswered(self, told: dict[str, Any]) -> ProviderError:
        code, words = told.get("code"), told.get("message")
        error = self._adapter.reported({"error": {"code": code, "message": words}})
        if code == "batch_expired" or code == "request_timeout":
            error.kind = "timeout"
        error.retryable = True
        return error

    def _seen(self, batch: "SdkBatch") -> Batch:
        counts = batch.request_counts
        ended = batch.completed_at or batch.expired_at or batch.cancelled_at or batch.failed_at
        return Batch(
            id=batch.id,
            state=_STATES.get(batch.status, "working"),
            word=str(batch.status),
            rows=counts.total if counts else 0,
            done=counts.completed + counts.failed if counts else 0,
            created_at=float(batch.created_at),
            ended_at=None if ended is None else float(ended),
            expires_at=None if batch.expires_at is None else float(batch.expires_at),
            tag=(batch.metadata or {}).get(TAG),
            faults=tuple(
                LineFault(fault.line, self._fault(fault.code, fault.message))
                for fault in (batch.errors.data if batch.errors else None) or ()
            ),
            results=tuple(filter(None, (batch.output_file_id, batch.error_file_id))),
        )

    def _fault(self, code: str | None, message: str | None) -> ProviderError:
        error = self._adapter.reported({"error": {"code": code, "message": message}})
        if error.kind == "provider":
            # What validation finds wrong is wrong with what was sent.
            error.kind, error.retryable = "invalid_request", False
        return error
