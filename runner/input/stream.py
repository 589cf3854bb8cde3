"""Blocks of an input that cannot be read twice, each as soon as it is there."""

import os
from collections.abc import AsyncGenerator

import anyio
from anyio import to_thread

from runner.errors import UsageError
from runner.input.source import BLOCK_BYTES, Source


async def read_stream(source: Source) -> AsyncGenerator[bytes]:
    """Yield what arrives until the writer closes.

    Raises UsageError where there is nothing to read from. Cancelling takes effect at once.
    """
    descriptor, opened = source.descriptor(), None
    try:
        if descriptor is None:
            # Without O_NONBLOCK the open itself would wait for a writer, deaf to cancellation.
            descriptor = opened = os.open(source.name, os.O_RDONLY | os.O_NONBLOCK)
        while block := await _next_block(descriptor):
            yield block
    except OSError as error:
        raise UsageError(f"{source.label} cannot be read: {error.strerror}.") from None
    finally:
        if opened is not None:
            os.close(opened)


async def _next_block(descriptor: int) -> bytes:
    while True:
        try:
            await anyio.wait_readable(descriptor)
        except PermissionError:
            # A redirected regular file, or /dev/null: never silent, so no thread can hang in it.
            return await to_thread.run_sync(os.read, descriptor, BLOCK_BYTES)
        try:
            return os.read(descriptor, BLOCK_BYTES)
        except BlockingIOError:
            continue
