"""What the batch services have in common: one call with its deadline, and downloads."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import anyio
import msgspec

from runner.errors import ProviderError, WriteError
from runner.models import Request
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


class Calls:
    """Carries out calls of one provider's service."""

    def __init__(self, adapter: HttpProvider) -> None:
        """`adapter` knows the API's bodies and its failures."""
        self._adapter = adapter

    def body(self, model: str, request: Request) -> bytes:
        return self._adapter.written(self._adapter.body(model, request, stream=False))

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


async def append(blocks: AsyncIterator[bytes], path: Path) -> None:
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


async def first_line(blocks: AsyncIterator[bytes]) -> bytes:
    """Read no more than a line."""
    line = b""
    async for block in blocks:
        line += block
        whole = line.lstrip()
        if b"\n" in whole or len(whole) > _FIRST_LINE:
            return whole.partition(b"\n")[0]
    return line.strip()


def mended(line: bytes) -> bytes:
    """Rewrite a line that a strict reader refuses; as it was where nobody can read it."""
    with suppress(ValueError):
        return bytes(write_json(read_json(line)[0]))
    return line


def decoded(line: bytes, decoder: "msgspec.json.Decoder[_Value]") -> _Value | None:
    """Decode a line of results; None where it is none."""
    for attempt in (line, mended(line)):
        try:
            return decoder.decode(attempt)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
    return None
