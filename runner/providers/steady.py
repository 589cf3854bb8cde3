"""An SDK's client that writes the head of a request once for all that differ in their bodies alone.

For each request an SDK reads the address, checks every option, merges all headers and asks whether
its key is still good: three quarters of what it costs. It has no public place to keep them, so this
overrides private ones; `tests/wire/test_steady.py` fails if they are renamed or no longer called.
"""

from typing import Any

import httpx2

from runner.providers.thin import Kind, ThinRequest

_KINDS_KEPT = 64
"""Of requests: there is one for each deadline of an endpoint."""


class SteadyClient:
    """To be put before an SDK's client whose HTTP client is a `ThinClient`.

    Its address, key and headers must stay as they are, and so must the options given to `post`.
    """

    _client: httpx2.AsyncClient

    def __init__(self, **settings: Any) -> None:
        """Take what the SDK's own takes."""
        super().__init__(**settings)
        self._kinds: dict[tuple[Any, ...], Kind] = {}
        self._read: dict[tuple[str, int], tuple[Any, Any]] = {}
        """Options as they were given, and as the SDK reads them."""
        self._form: type[Any] | None = None
        """The SDK's own form of options, once it has shown one."""

    async def post(
        self, path: str, *, content: bytes, cast_to: Any, options: Any, **how: Any
    ) -> Any:
        """Post a body, as the SDK does."""
        client: Any = super()
        if self._form is None:
            return await client.post(path, content=content, cast_to=cast_to, options=options, **how)
        key = (path, id(options))
        if key not in self._read:
            _bound(self._read)
            self._read[key] = options, self._form.construct(method="post", url=path, **options)
        read = self._read[key][1].model_copy(update={"content": content})
        return await client.request(cast_to, read, **how)

    def _build_request(self, options: Any, *, retries_taken: int = 0) -> httpx2.Request:
        self._form = type(options)
        content, waits = options.content, options.timeout
        if not isinstance(content, bytes) or not isinstance(waits, httpx2.Timeout):
            return self._written(options, retries_taken)
        names = options.headers.items()
        key = (options.url, waits.connect, waits.read, waits.pool, retries_taken, *names)
        kind = self._kinds.get(key)
        if kind is not None:
            return ThinRequest(kind, content)
        request = self._written(options, retries_taken)
        if isinstance(request, ThinRequest):  # else it goes the long way
            _bound(self._kinds)
            self._kinds[key] = request.kind
        return request

    async def _send_request(self, request: httpx2.Request, **how: Any) -> httpx2.Response:
        client: Any = super()
        if isinstance(request, ThinRequest):  # its key is in its head, and never another
            answer: httpx2.Response = await self._client.send(request)
        else:
            answer = await client._send_request(request, **how)  # noqa: SLF001
        return answer

    def _written(self, options: Any, retries_taken: int) -> httpx2.Request:
        client: Any = super()
        request: httpx2.Request = client._build_request(options, retries_taken=retries_taken)  # noqa: SLF001
        return request


def steady(sdk_client: type[Any]) -> type[Any]:
    """Make an SDK's client steady."""
    # It goes by the SDK's own name, which servers are told.
    own = {"__module__": sdk_client.__module__}
    return type(sdk_client.__name__, (SteadyClient, sdk_client), own)


def _bound(kept: dict[Any, Any]) -> None:
    if len(kept) >= _KINDS_KEPT:
        kept.clear()
