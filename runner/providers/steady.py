"""An SDK's client that writes a request once, and those like it, which differ in their bodies
alone, from that one.

For each request an SDK reads the address and merges all headers anew: half of what it costs. It has
no public place to keep them, so this overrides a private one; `tests/wire/test_thin.py` fails if it
is renamed or no longer called.
"""

from typing import Any

import httpx2

from runner.providers.thin import Kind, ThinRequest

_KINDS_KEPT = 64
"""Of requests: there is one for each deadline of an endpoint."""


class SteadyClient:
    """To be put before an SDK's client whose HTTP client is a `ThinClient`.

    Its address, key and headers must stay as they are.
    """

    _kinds: dict[tuple[Any, ...], Kind]

    def __init__(self, **settings: Any) -> None:
        """Take what the SDK's own takes."""
        super().__init__(**settings)
        self._kinds = {}

    def _build_request(self, options: Any, *, retries_taken: int = 0) -> httpx2.Request:
        content, waits = options.content, options.timeout
        if not isinstance(content, bytes) or not isinstance(waits, httpx2.Timeout):
            return self._written(options, retries_taken)
        key = (
            options.method,
            options.url,
            waits.connect,
            waits.read,
            waits.pool,
            retries_taken,
            *options.headers.items(),
        )
        kind = self._kinds.get(key)
        if kind is not None:
            return ThinRequest(kind, content)
        request = self._written(options, retries_taken)
        if isinstance(request, ThinRequest):  # else it goes the long way
            if len(self._kinds) >= _KINDS_KEPT:
                self._kinds.clear()
            self._kinds[key] = request.kind
        return request

    def _written(self, options: Any, retries_taken: int) -> httpx2.Request:
        request: httpx2.Request = super()._build_request(  # type: ignore[misc] # the SDK's
            options, retries_taken=retries_taken
        )
        return request


def steady(sdk_client: type[Any]) -> type[Any]:
    """Make an SDK's client steady."""
    # It goes by the SDK's own name, which servers are told.
    own = {"__module__": sdk_client.__module__}
    return type(sdk_client.__name__, (SteadyClient, sdk_client), own)
