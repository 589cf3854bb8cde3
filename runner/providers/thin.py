"""The SDK's request handed straight to aiohttp, and aiohttp's answer straight back.

Between an SDK and its HTTP library stands a whole HTTP client: it merges headers, cookies and
redirects, and reads the address and every header anew for each request. A run asks one address with
one set of headers, so that is done once; only the body differs. What is not as usual (a proxy, an
upload, a status that is no success, a compressed body) goes the long way. What aiohttp raises is
passed on as it is: `causes` knows it.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from functools import lru_cache
from typing import Any

import httpx2
from aiohttp import ClientResponse, ClientSession, ClientTimeout
from multidict import CIMultiDict
from yarl import URL

_CHUNK_BYTES = 64 * 1024
_LENGTH = "content-length"


class LowerHeaders(dict[str, str]):
    """Headers by their names in lower case."""

    def get(self, name: str, default: Any = None) -> Any:
        """Give a header, however its name is written."""
        return super().get(name.lower(), default)


class Kind:
    """What requests have in common that differ in their bodies alone."""

    __slots__ = ("headers", "lowered", "shown", "timeout", "url")

    def __init__(self, request: httpx2.Request) -> None:
        pairs = [(name, text) for name, text in request.headers.multi_items() if name != _LENGTH]
        self.headers = CIMultiDict(pairs)
        self.lowered = LowerHeaders(pairs)
        self.shown = request.url
        self.url = URL(str(request.url))
        waits: dict[str, float | None] = request.extensions["timeout"]
        self.timeout = ClientTimeout(
            sock_connect=waits["connect"], sock_read=waits["read"], connect=waits["pool"]
        )


class ThinRequest(httpx2.Request):
    """A body for one kind of request."""

    def __init__(self, kind: Kind, content: bytes) -> None:
        self.kind = kind
        self.body = content
        self.method = "POST"
        self.headers = kind.lowered  # type: ignore[assignment] # an SDK only looks into it
        self.url = kind.shown
        self.extensions = {}


class ThinReply(httpx2.Response):
    """A success of which only the body is of interest."""

    def __init__(self, answer: ClientResponse, request: ThinRequest) -> None:
        self.status_code = answer.status
        self.headers = _headers(answer.raw_headers)  # type: ignore[assignment] # only looked into
        self.extensions = {}
        self.is_closed = False
        self._request = request
        self._answer = answer

    def raise_for_status(self) -> httpx2.Response:
        """Find nothing wrong: it is a success."""
        return self

    async def aiter_bytes(self, chunk_size: int | None = None) -> AsyncGenerator[bytes, None]:  # noqa: ARG002 - the library's signature
        """Give the body as it comes."""
        content = self._answer.content
        while piece := await content.readany():
            yield piece
        self.is_closed = True

    async def aclose(self) -> None:
        """Let go of the connection: for other requests if the body was read to its end."""
        self.is_closed = True
        self._answer.release()


class _Stream(httpx2.AsyncByteStream):
    """The body of an answer that goes the long way."""

    def __init__(self, answer: ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._answer.content.iter_chunked(_CHUNK_BYTES):
            yield piece

    async def aclose(self) -> None:
        self._answer.release()


class ThinClient(httpx2.AsyncClient):
    """An SDK's aiohttp client that sends most requests itself: to be put before the SDK's own."""

    def build_request(self, method: str, url: Any, **parts: Any) -> httpx2.Request:
        """Put a request together: the first of its kind, see `SteadyClient`."""
        request, content = super().build_request(method, url, **parts), parts.get("content")
        # A proxy has another connection.
        if method != "post" or not isinstance(content, bytes) or self._mounts:
            return request
        return ThinRequest(Kind(request), content)

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send a request and wait for the head of the answer; cancelled, close the connection."""
        if not isinstance(request, ThinRequest):
            return await super().send(request, **options)
        kind = request.kind
        answer = await self._session().post(
            kind.url,
            data=request.body,
            headers=kind.headers,
            allow_redirects=False,
            auto_decompress=False,
            timeout=kind.timeout,
        )
        if answer.status // 100 == 2 and "Content-Encoding" not in answer.headers:
            return ThinReply(answer, request)
        return await self._whole(answer, request)

    async def _whole(self, answer: ClientResponse, request: ThinRequest) -> httpx2.Response:
        response = httpx2.Response(
            answer.status, headers=answer.raw_headers, stream=_Stream(answer), request=request
        )
        try:
            for hook in self.event_hooks["response"]:
                await hook(response)
        except BaseException:
            answer.close()
            raise
        return response

    def _session(self) -> ClientSession:
        transport: Any = self._transport
        if not isinstance(transport.client, ClientSession):
            transport.client = transport.get_client()
        session: ClientSession = transport.client
        return session


def thin(sdk_client: type[httpx2.AsyncClient]) -> type[httpx2.AsyncClient]:
    """Make an SDK's aiohttp client thin."""
    return type("Thin" + sdk_client.__name__, (ThinClient, sdk_client), {})


def _headers(raw: tuple[tuple[bytes, bytes], ...]) -> LowerHeaders | httpx2.Headers:
    try:
        found = LowerHeaders([(_name(name), text.decode("ascii")) for name, text in raw])
    except UnicodeDecodeError:
        return httpx2.Headers(raw)
    # One that came twice is joined there.
    return found if len(found) == len(raw) else LowerHeaders(httpx2.Headers(raw).items())


@lru_cache(maxsize=512)
def _name(name: bytes) -> str:
    return name.decode("ascii").lower()
