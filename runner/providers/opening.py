"""Opening an adapter over an official client, and closing many.

To add an API: one adapter file and one line in `_ADAPTERS`.
"""

from collections.abc import Iterable
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

import anyio

from runner import garbage
from runner.config import ProviderConfig
from runner.models import Api
from runner.providers.endpoints import Endpoint
from runner.providers.exchange import HttpProvider
from runner.providers.transport import Http, Transport, open_http

if TYPE_CHECKING:
    import httpx2

_ADAPTERS: dict[Api, str] = {
    "openai": "runner.providers.openai_chat:OpenAIChat",
    "openai-responses": "runner.providers.openai_responses:OpenAIResponses",
    "anthropic": "runner.providers.anthropic_messages:AnthropicMessages",
}

_CLOSE_S = 1.0
"""For all connections together; one that does not close is left to the end of the process."""


def adapter(config: ProviderConfig, place: Endpoint, transport: Transport) -> HttpProvider:
    """Put the adapter of a provider's API before a transport. Imports no SDK."""
    module, _, name = _ADAPTERS[config.api].partition(":")
    kind: type[HttpProvider] = getattr(import_module(module), name)
    return kind(config, place, transport)


async def open_client(place: Endpoint, *, concurrency: int, http: Http) -> "httpx2.AsyncClient":
    """Import the SDK and build the HTTP client under it, in a thread; cancelling leaves it alone.

    `concurrency` bounds its connections.
    """
    garbage.hold_off()
    try:
        return await anyio.to_thread.run_sync(
            partial(open_http, place, concurrency=concurrency, http=http), abandon_on_cancel=True
        )
    finally:
        garbage.settle()


async def close_all(providers: Iterable[HttpProvider]) -> None:
    """Close all connections, within a second and whoever cancels."""
    with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSE_S):
        async with anyio.create_task_group() as group:
            for provider in providers:
                group.start_soon(provider.aclose)
