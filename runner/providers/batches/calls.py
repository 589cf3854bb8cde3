"""What the batch services have in common: calls with a deadline, lists by page, downloads."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import anyio
import msgspec

from runner.errors import ProviderError, WriteError
from runner.models import Request
from runner.providers.batches.base import Batch
from runner.providers.exchange import HttpProvider
from runner.providers.raw_body import read_json, write_json
from runner.results.durable import cannot_write

CALL_S = 60.0
"""For a call that carries no rows."""
SEND_S = 1800.0
"""For sending all rows of a batch, and for fetching its results."""
SILENCE_S = 120.0
"""For a single operation on the connection meanwhile."""
_FIRST_LINE = 64 * 1024 * 1024

_Value = TypeVar("_Value")


class Named(Protocol):
    """A line of results, so far as it says of which row it is."""

    custom_id: str


class Calls(ABC):
    """Carries out calls of one provider's service."""

    page_rows: int
    """Batches in a page of the list that is not the last."""

    def __init__(self, adapter: HttpProvider) -> None:
        """`adapter` knows the API's bodies and its failures."""
        self._adapter = adapter

    def body(self, model: str, request: Request) -> bytes:
        return self._adapter.written(self._adapter.body(model, request, stream=False))

    async def listed(self, since: float) -> AsyncGenerator[Batch, None]:
        after: str | None = None
        while True:
            page = await self._call(partial(self._page, after))
            for batch in page:
                if batch.created_at < since:
                    return
                yield batch
            if len(page) < self.page_rows:
                return
            after = page[-1].id

    async def fetch(self, batch: Batch, into: Path) -> None:
        await anyio.Path(into).unlink(missing_ok=True)

        async def download(part: str) -> None:
            async with self._results(part) as blocks:
                await _append(blocks, into)

        for part in batch.results:
            await self._call(partial(download, part), SEND_S)

    async def first_id(self, batch: Batch) -> str | None:
        for part in batch.results:
            name = self.named(await self._call(partial(self._first_line, part)))
            if name is not None:
                return name
        return None

    def named(self, line: bytes) -> str | None:
        found = self._line(line)
        return None if found is None else found.custom_id

    async def _first_line(self, part: str) -> bytes:
        async with self._results(part) as blocks:
            return await _until_newline(blocks)

    @abstractmethod
    async def _page(self, after: str | None) -> list[Batch]:
        """Ask for a page of the list, newest first."""

    @abstractmethod
    def _results(self, part: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Download one of a batch's results, in blocks."""

    @abstractmethod
    def _line(self, line: bytes) -> Named | None:
        """Decode a line of results; None where it is none."""

    async def _call(
        self, call: Callable[[], Awaitable[_Value]], within_s: float = CALL_S
    ) -> _Value:
        """Await, and translate every failure."""
        with anyio.move_on_after(within_s):
            try:
                return await call()
            except (ProviderError, WriteError):
                raise
            except (AttributeError, TypeError, ValueError, KeyError) as odd:
                # The SDK hands on what it did not understand.
                raise self._adapter.unusable(
                    f"the batch service answered with something else ({type(odd).__name__})",
                    retryable=True,
                ) from odd
            except Exception as error:
                raise self._adapter.failure(error) from error
        raise ProviderError(
            "timeout", f"the batch service took more than {within_s:.0f} s", retryable=True
        )


async def _append(blocks: AsyncIterator[bytes], path: Path) -> None:
    """Write what comes to the end of a file, and end its last line. Raises WriteError."""
    ended = True
    with _told_of(path):
        file = await anyio.open_file(path, "ab", buffering=0)
    async with file:
        async for block in blocks:
            if block:
                with _told_of(path):
                    await _write(file, block)
                ended = block.endswith(b"\n")
        if not ended:
            with _told_of(path):
                await _write(file, b"\n")


async def _write(file: anyio.AsyncFile[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[await file.write(view) :]


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
    """Tell trouble with our own disk from trouble with the connection."""
    try:
        yield
    except OSError as error:
        raise cannot_write(path, error) from error


async def _until_newline(blocks: AsyncIterator[bytes]) -> bytes:
    """Read no more than a line."""
    line = b""
    async for block in blocks:
        line += block
        whole = line.lstrip()
        if b"\n" in whole or len(whole) > _FIRST_LINE:
            return whole.partition(b"\n")[0]
    return line.strip()


def _mended(line: bytes) -> bytes:
    """Rewrite a line that a strict reader refuses; as it was where nobody can read it."""
    with suppress(ValueError):
        return bytes(write_json(read_json(line)[0]))
    return line


def decoded(line: bytes, decoder: "msgspec.json.Decoder[_Value]") -> _Value | None:
    """Decode a line of results; None where it is none."""
    for attempt in (line, _mended(line)):
        try:
            return decoder.decode(attempt)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
    return None
