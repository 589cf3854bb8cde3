"""The official SDK clients, opened only when a provider is used, behind one way to send.

The SDK's generic `post` keeps its auth, headers and error classes without the cost of its typed
methods, and hands the response out unread. The SDKs' own retries are off: the engine owns them.
"""

import logging
import os
import ssl
import sys
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar
from urllib.parse import urljoin, urlsplit

from runner.errors import UsageError
from runner.providers.endpoints import Endpoint
from runner.providers.wording import for_people

if TYPE_CHECKING:
    import anthropic
    import httpx2
    import openai

_Client = TypeVar("_Client")

Http = Literal["aiohttp", "httpx2"]

CONNECT_TIMEOUT_S = 30.0
"""Below it, a thousand workers that start at once report connections as timed out that are open."""
_DEFAULT_TIMEOUT_S = 600.0
_KEEPALIVE_S = 5.0
"""Both SDKs' own value; servers close idle connections after about as long."""
_MOST_REDIRECTS = 3


class Reply(Protocol):
    """The part of a response that adapters need: `httpx2.Response` fits."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Case-insensitive."""

    @property
    def is_closed(self) -> bool:
        """Whether the connection has been let go: it has once the body was read to its end."""

    def aiter_bytes(self) -> AsyncGenerator[bytes, None]:
        """Read the decoded body as it comes."""

    async def aclose(self) -> None:
        """Let go of the connection."""


class Transport(Protocol):
    """One way to send to one endpoint."""

    async def send(self, path: str, content: bytes, *, timeout_s: float) -> Reply:
        """Post a JSON body; return the response with its body unread.

        Raises the SDK's and the HTTP library's own exceptions, also for every status but 2xx.
        """

    async def aclose(self) -> None:
        """Close all connections."""


class SdkTransport:
    """Sends through an official client."""

    def __init__(self, client: "openai.AsyncOpenAI | anthropic.AsyncAnthropic") -> None:
        self._client: Any = client  # the two clients share `post` but no base class
        self._base_url = str(client.base_url).rstrip("/")
        self._options: dict[float, dict[str, Any]] = {}

    async def send(self, path: str, content: bytes, *, timeout_s: float) -> Reply:
        """Post, following redirects only where they stay at the same origin and keep the method.

        The SDK would re-send the prompt, without its key, to wherever a redirect points.
        """
        url = self._base_url + path
        for _ in range(_MOST_REDIRECTS):
            try:
                return await self._post(url, content, timeout_s)
            except Exception as error:
                target = _same_origin_target(error)
                if target is None:
                    raise
                url = target
        return await self._post(url, content, timeout_s)

    async def _post(self, url: str, content: bytes, timeout_s: float) -> Reply:
        import httpx2

        options = self._options.get(timeout_s)
        if options is None:
            options = self._options[timeout_s] = _options(self._client, timeout_s)
        reply: Reply = await self._client.post(
            url,
            cast_to=httpx2.Response,
            content=content,
            options=options,
            stream=True,
            stream_cls=type(None),  # asked for by the signature; a raw response never builds it
        )
        return reply

    async def aclose(self) -> None:
        await self._client.close()


def open_http(endpoint: Endpoint, *, concurrency: int, http: Http) -> "httpx2.AsyncClient":
    """Import the SDK and build the HTTP client under it: slow, so meant for a thread.

    Raises UsageError where the environment names certificates or a proxy that cannot be used.
    """
    import httpx2

    try:
        return _built(endpoint, concurrency, http)
    except (OSError, ValueError, httpx2.InvalidURL) as error:
        reason = for_people((isinstance(error, OSError) and error.strerror) or str(error))
        raise UsageError(
            f"no connection to {endpoint.address} can be prepared: {reason}.\n"
            "Look at SSL_CERT_FILE, HTTPS_PROXY and ALL_PROXY in the environment."
        ) from error


def _built(endpoint: Endpoint, concurrency: int, http: Http) -> "httpx2.AsyncClient":
    import httpx2

    from runner.providers.refused_bodies import bound_refusal

    limits = httpx2.Limits(
        max_connections=concurrency,
        # httpx2 leaves what came right behind an answer for the next question, as its answer.
        max_keepalive_connections=concurrency if http == "aiohttp" else 0,
        keepalive_expiry=_KEEPALIVE_S,
    )
    settings: dict[str, Any] = {
        "limits": limits,
        "timeout": _timeout(_DEFAULT_TIMEOUT_S),
        "follow_redirects": False,
        "event_hooks": {"response": [bound_refusal]},
    }
    if endpoint.is_loopback:
        settings["trust_env"] = False
        if endpoint.base_url.startswith("http:"):
            # Loading certificates costs 20 ms or more; without any, nothing is trusted.
            settings["verify"] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if endpoint.api == "anthropic":
        from anthropic import DefaultAioHttpClient, DefaultAsyncHttpxClient
    else:
        from openai import DefaultAioHttpClient, DefaultAsyncHttpxClient
    _silence()
    if http == "aiohttp":
        from runner.providers.kept import keep_clean
        from runner.providers.thin import thin

        client: httpx2.AsyncClient = thin(DefaultAioHttpClient)(**settings)
        keep_clean(client)
        return client
    if endpoint.is_loopback:
        return httpx2.AsyncClient(**settings)  # Anthropic's own asks the proxy all the same
    return DefaultAsyncHttpxClient(**settings)


def connect(endpoint: Endpoint, http_client: "httpx2.AsyncClient") -> SdkTransport:
    """Put the SDK's client behind the one way to send."""
    return SdkTransport(sdk_client(endpoint, http_client))


def sdk_client(
    endpoint: Endpoint, http_client: "httpx2.AsyncClient"
) -> "openai.AsyncOpenAI | anthropic.AsyncAnthropic":
    """Build the SDK's client: quick, and on the event loop's thread because it hides variables."""
    settings: dict[str, Any] = {
        "base_url": endpoint.base_url,
        "max_retries": 0,
        "timeout": _timeout(_DEFAULT_TIMEOUT_S),
        "default_headers": dict(endpoint.headers),
        "http_client": http_client,
        "api_key": endpoint.key,
    }
    with _without_ambient_settings():
        if endpoint.api == "anthropic":
            from anthropic import AsyncAnthropic

            return _made_for(http_client, AsyncAnthropic)(**settings, open_telemetry=False)
        from openai import AsyncOpenAI

        return _made_for(http_client, AsyncOpenAI)(
            **settings, organization=endpoint.organization, project=endpoint.project
        )


def _made_for(http_client: "httpx2.AsyncClient", sdk_client: type[_Client]) -> type[_Client]:
    from runner.providers.steady import steady
    from runner.providers.thin import ThinClient

    return steady(sdk_client) if isinstance(http_client, ThinClient) else sdk_client


def _options(client: Any, timeout_s: float) -> dict[str, Any]:
    """What is the same for all requests.

    All from `params` on is what an SDK would put in itself: a default that is left out is copied
    deep for each request.
    """
    sdk = sys.modules[type(client).__module__.partition(".")[0]]
    options = {
        "headers": {"content-type": "application/json"},
        "timeout": _timeout(timeout_s),
        "follow_redirects": False,
        "params": {},
        "max_retries": 0,
        "idempotency_key": "unused",  # neither SDK sends one
        "post_parser": sdk.NOT_GIVEN,
    }
    if sdk.__name__ == "openai":
        options["security"] = {"bearer_auth": True}
    return options


@lru_cache(maxsize=32)
def _timeout(timeout_s: float) -> "httpx2.Timeout":
    import httpx2

    # Waiting for a free connection counts as "pool"; aiohttp counts connecting in as well.
    return httpx2.Timeout(
        timeout_s, connect=CONNECT_TIMEOUT_S, pool=max(timeout_s, CONNECT_TIMEOUT_S)
    )


def _same_origin_target(error: Exception) -> str | None:
    response = getattr(error, "response", None)
    if getattr(response, "status_code", None) not in (307, 308) or response is None:
        return None
    here = str(response.request.url)
    try:
        target = urljoin(here, response.headers.get("location", ""))
        asked, sent_to = urlsplit(here), urlsplit(target)
    except ValueError:  # no address at all; the redirect is reported as it came
        return None
    same = (asked.scheme, asked.netloc) == (sent_to.scheme, sent_to.netloc) and target != here
    return target if same else None


@contextmanager
def _without_ambient_settings() -> Iterator[None]:
    """Hide the SDKs' variables while a client is built.

    The endpoint says all, and a key or header meant for one provider must not reach another.
    """
    hidden = {
        name: os.environ.pop(name)
        for name in list(os.environ)
        if name.startswith(("OPENAI_", "ANTHROPIC_"))
    }
    try:
        yield
    finally:
        os.environ.update(hidden)


def _silence() -> None:
    # OPENAI_LOG and ANTHROPIC_LOG would write URLs, headers and prompts to stderr.
    for name in ("openai", "anthropic", "httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
