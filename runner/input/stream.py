"""Blocks of an input that cannot be read twice, each as soon as it is there."""

import os
from collections.abc import AsyncGenerator

import anyio
from anyio import to_thread

from runner.input.source import BLOCK_BYTES, Source


async def read_stream(source: Source) -> AsyncGenerator[bytes]:
    """Yield what arrives until the writer closes. Cancelling takes effect at once."""
    descriptor = source.descriptor()
    if descriptor is not None:
        async for block in _read_descriptor(descriptor):
            yield block
        return
    # Without O_NONBLOCK the open itself would wait for a writer, and nothing could cancel it.
    opened = os.open(source.name, os.O_RDONLY | os.O_NONBLOCK)
    try:
        async for block in _read_descriptor(opened):
            yield block
    finally:
        os.close(opened)


async def _read_descriptor(descriptor: int) -> AsyncGenerator[bytes]:
    waits = True
    while True:
        if waits:
            try:
                await anyio.wait_readable(descriptor)
            except PermissionError:
                # A redirected regular file, or /dev/null: never silent, so a thread cannot hang.
                waits = False
                continue
        try:
            block = await _read(descriptor, in_thread=not waits)
        except BlockingIOError:
            continue
        if not block:
            return
        yield block


async def _read(descriptor: int, *, in_thread: bool) -> bytes:
    if in_thread:
        return await to_thread.run_sync(os.read, descriptor, BLOCK_BYTES)
    # In a thread this could outlive the run: it is ready, so it does not wait.
    return os.read(descriptor, BLOCK_BYTES)
