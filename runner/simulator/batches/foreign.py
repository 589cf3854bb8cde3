"""A host that is not the provider's, though a `results_url` points there: it counts keys."""

from collections.abc import Awaitable, Callable
from typing import Any

from runner.simulator.stats import Stats

_Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]
_KEYS = {b"authorization", b"x-api-key"}


class ForeignHost:
    """Answers on its own port as the provider would, but asks for no key."""

    def __init__(self, app: _Application, port: int, stats: Stats) -> None:
        self._app = app
        self._port = port
        self._stats = stats

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["server"][1] == self._port:
            scope = {**scope, "headers": self._count(scope["headers"])}
        await self._app(scope, receive, send)

    def _count(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        foreign = self._stats.batches.foreign
        foreign["requests"] += 1
        foreign["with_key"] += any(name in _KEYS and value for name, value in headers)
        ours = _KEYS | {b"anthropic-version"}
        kept = [(name, value) for name, value in headers if name not in ours]
        return [*kept, (b"x-api-key", b"none"), (b"anthropic-version", b"2023-06-01")]
