"""The table of SDK, HTTP library and system exceptions: what each one means to a person.

Classes are named, not imported: only the library in use is ever loaded.
"""

import os
import socket
import ssl
from collections.abc import Iterator
from typing import NamedTuple

from runner.models import ErrorKind


class Cause(NamedTuple):
    """What an exception means. The message may name `{address}` and `{reason}`."""

    kind: ErrorKind
    message: str
    retryable: bool = True
    unsent: bool = False
    """Certainly nothing was sent, so that nothing can be charged."""


_UNREACHABLE = Cause("connection", "could not connect to {address}: {reason}", unsent=True)
CLOSED = Cause("connection", "the connection to {address} was closed: {reason}")
CUT = Cause("connection", "the connection to {address} was closed in the middle of the answer")
_NO_CONNECT = Cause("timeout", "no connection to {address} in time", unsent=True)
_SILENT = Cause("timeout", "{address} sent nothing for too long")
_PROXY = Cause("connection", "the proxy on the way to {address} failed: {reason}")
_NOT_HTTP = Cause("bad_response", "{address} does not speak proper HTTP: {reason}")
_GARBLED = Cause("bad_response", "{address} sent damaged compressed data: {reason}", False)
_BAD_URL = Cause("invalid_request", "the address {address} cannot be used: {reason}", False, True)
_BAD_HEADER = Cause("auth", "the request's headers cannot be sent; look at the key", False, True)
_BAD_REQUEST = Cause("invalid_request", "the request cannot be written: {reason}", False, True)

# The deepest class that is listed decides; among the bases of one exception the nearest does.
_TABLE: dict[str, Cause] = {
    "aiohttp.ConnectionTimeoutError": _NO_CONNECT,
    "aiohttp.ServerTimeoutError": _SILENT,
    "aiohttp.ClientProxyConnectionError": _PROXY,
    "aiohttp.ClientHttpProxyError": _PROXY,
    "aiohttp.ClientConnectorError": _UNREACHABLE,
    "aiohttp.ClientConnectionError": CLOSED,
    "aiohttp.ClientPayloadError": CUT,
    "aiohttp.PayloadEncodingError": CUT,
    "aiohttp.LineTooLong": Cause(
        "bad_response", "{address} sent response headers that are too long", False
    ),
    "aiohttp.BadHttpMessage": _NOT_HTTP,
    "aiohttp.ClientResponseError": _NOT_HTTP,
    "aiohttp.InvalidURL": _BAD_URL,
    "httpx2.UnsupportedProtocol": _BAD_URL,
    "httpx2.InvalidURL": _BAD_URL,
    "httpx2.LocalProtocolError": _BAD_HEADER,
    "httpx2.DecodingError": _GARBLED,
    "httpx2.ConnectTimeout": _NO_CONNECT,
    "httpx2.PoolTimeout": _NO_CONNECT,
    "httpx2.TimeoutException": _SILENT,
    "httpx2.ConnectError": _UNREACHABLE,
    "httpx2.ProxyError": _PROXY,
    "httpx2.NetworkError": CLOSED,
    "httpx2.RemoteProtocolError": CLOSED,
    "openai.APITimeoutError": _SILENT,
    "openai.APIConnectionError": CLOSED,
    "anthropic.APITimeoutError": _SILENT,
    "anthropic.APIConnectionError": CLOSED,
    "anyio.EndOfStream": CLOSED,
    "ssl.SSLError": Cause("connection", "no secure connection to {address}: {reason}"),
    "builtins.ConnectionError": CLOSED,
    "builtins.UnicodeEncodeError": _BAD_REQUEST,
}


def cause_of(error: BaseException) -> Cause | None:
    """Find what an exception means; None where the table does not know it."""
    found: Cause | None = None
    for link in _chain(error):
        cause = next((_TABLE[name] for name in _names(link) if name in _TABLE), None)
        # A system error under a named library error says why, not what.
        if cause is not None and (found is None or not _of_the_system(link)):
            found = cause
    return found


def reason_in(error: BaseException) -> str:
    """Say why in the system's own words where it gave any, else in the library's."""
    links = list(_chain(error))
    for link in reversed(links):
        if isinstance(link, socket.gaierror):
            return "the host name is not known"
        if isinstance(link, ssl.SSLError):
            told = getattr(link, "verify_message", None) or getattr(link, "reason", None) or link
            return str(told).lower().replace("_", " ")
        if isinstance(link, OSError) and link.errno and link.errno > 0:
            return os.strerror(link.errno).lower()
    words = [str(link) for link in links if str(link)]
    return words[-1] if words else "no reason given"


def is_untrusted(error: BaseException) -> bool:
    """Whether a certificate was refused: it will not be trusted on the next try either."""
    return any(isinstance(link, ssl.SSLCertVerificationError) for link in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        group = link.exceptions if isinstance(link, BaseExceptionGroup) else ()
        link = link.__cause__ or (group[0] if group else link.__context__)


def _names(error: BaseException) -> Iterator[str]:
    for kind in type(error).__mro__:
        yield f"{kind.__module__.partition('.')[0]}.{kind.__name__}"


def _of_the_system(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] in ("builtins", "ssl", "socket")
