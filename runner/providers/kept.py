"""Connections of aiohttp that are used again only where nothing unasked has come over them.

HTTP/1.1 has no mark that joins an answer to its question, and aiohttp reads on while a connection
is idle: whatever came then was the next question's answer. It has no public place to look at a
connection between two requests, so this overrides a private one; `tests/providers/test_unasked.py`
fails if it is renamed or no longer called. Imports aiohttp; knows no API.
"""

import select
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import ClientSession, DummyCookieJar, TCPConnector
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection

if TYPE_CHECKING:
    import httpx2
    from aiohttp.client_reqrep import ConnectionKey
    from aiohttp.tracing import Trace


class KeptConnector(TCPConnector):
    """A pool that looks at a connection before it is used again."""

    async def _get(self, key: "ConnectionKey", traces: "list[Trace]") -> Connection | None:
        while (connection := await super()._get(key, traces)) is not None:
            if connection.protocol is not None and _is_clean(connection.protocol):
                return connection
            connection.close()
        return None


def _is_clean(protocol: ResponseHandler) -> bool:
    """Whether nothing of a further answer has come, not even where nobody has read it yet.

    The end of the connection counts as such, so that nothing is sent into a closed one.
    """
    return not (protocol.should_close or _has_begun(protocol) or _is_readable(protocol))


def _has_begun(protocol: ResponseHandler) -> bool:
    """Ask the parser whether it holds a piece of a head; the next answer gets a new parser."""
    parser = protocol._parser  # noqa: SLF001 - nothing public tells of a head that is torn
    try:
        return parser is not None and parser.feed_eof() is not None
    except Exception:  # noqa: BLE001 - whatever it finds wrong, more than the answer has come
        return True


def _is_readable(protocol: ResponseHandler) -> bool:
    transport, poll = protocol.transport, select.poll()
    if transport is not None:
        poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return transport is None or bool(poll.poll(0))


def keep_clean(client: "httpx2.AsyncClient") -> None:
    """Have an SDK's aiohttp client, those parts that go by a proxy included, pool like this."""
    # Given as an argument, a transport of our own would switch off the environment's proxies.
    transports: list[Any] = [client._transport, *client._mounts.values()]  # noqa: SLF001
    for transport in transports:
        if transport is not None:  # None: a host that the proxy is not asked for
            transport.client = partial(_session, transport)


def _session(transport: Any) -> ClientSession:
    """What the SDKs' transport makes for itself, but for the connector, and without cookies."""
    return ClientSession(
        cookie_jar=DummyCookieJar(),
        connector=KeptConnector(
            keepalive_timeout=transport.limits.keepalive_expiry,
            ssl=transport.ssl_context,
            limit=transport.limits.max_connections,
        ),
    )
