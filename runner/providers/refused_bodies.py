"""The body of a refusal, read within bounds: the status has said the main thing already.

An SDK reads such a body to its end before it raises, and where that fails it forgets the status.
Imports the HTTP library; whoever imports this uses it anyway. Knows no API.
"""

from contextlib import suppress

import anyio
import httpx2

REFUSAL_S = 3.0
"""How long the words of a refusal are waited for."""
_MOST_RAW = 1 << 20
_MOST_PACKED = 1 << 16
"""gzip unpacks to a thousand times its size at the most."""


async def bound_refusal(response: httpx2.Response) -> None:
    """Replace the body of a response that is no success by as much of it as came in time."""
    if response.is_success:
        return
    packed = response.headers.get("content-encoding", "identity") != "identity"
    raw = await _read(response, _MOST_PACKED if packed else _MOST_RAW)
    body = _unpacked(response.headers.get("content-encoding"), raw) if packed else raw
    if packed:
        del response.headers["content-encoding"]
    response.stream = httpx2.ByteStream(body)


async def _read(response: httpx2.Response, most: int) -> bytes:
    stream = response.stream
    raw = bytearray()
    if not isinstance(stream, httpx2.AsyncByteStream):
        return bytes(raw)
    # However the body ends, the status stands: what came of the words will do.
    with anyio.move_on_after(REFUSAL_S), suppress(Exception):
        async for piece in stream:
            raw += piece
            if len(raw) >= most:
                break
    with anyio.move_on_after(REFUSAL_S, shield=True), suppress(Exception):
        await stream.aclose()
    return bytes(raw[:most])


def _unpacked(encoding: str | None, raw: bytes) -> bytes:
    try:
        return httpx2.Response(
            200, headers={"content-encoding": encoding or ""}, content=raw
        ).content
    except httpx2.DecodingError:
        return b""
