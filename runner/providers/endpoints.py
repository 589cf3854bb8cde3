"""Where a provider is and with which key: configuration and environment in, addresses out.

Imports no SDK, so that a missing key or a bad address is known before anything heavy starts.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from runner.config import ProviderConfig
from runner.errors import UsageError
from runner.models import Api
from runner.providers.wording import for_people

NO_KEY = "none"
"""Sent where a server needs no key: the SDKs refuse an empty one."""
SIMULATOR_KEY = "sim"


class _Ambient(NamedTuple):
    """What an SDK's users set in their environment."""

    keys: tuple[str, ...]
    base_url: str
    default_url: str
    headers: str


_OPENAI = _Ambient(
    ("OPENAI_API_KEY",), "OPENAI_BASE_URL", "https://api.openai.com/v1", "OPENAI_CUSTOM_HEADERS"
)
_AMBIENT: dict[Api, _Ambient] = {
    "openai": _OPENAI,
    "openai-responses": _OPENAI,
    "anthropic": _Ambient(
        ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
        "ANTHROPIC_BASE_URL",
        "https://api.anthropic.com",
        "ANTHROPIC_CUSTOM_HEADERS",
    ),
}


_SECRET = 8
"""Characters; a provider's own keys have 40 and more."""
_NO_SECRETS = (NO_KEY, SIMULATOR_KEY, "lm-studio", "not-needed", "no-key-required")


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """All that a client needs to know, so that no SDK has to look into the environment."""

    api: Api
    base_url: str
    key: str = field(default=NO_KEY, repr=False)
    organization: str | None = None
    project: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def address(self) -> str:
        """Host and port, as messages name them."""
        parts = urlsplit(self.base_url)
        return parts.netloc.rpartition("@")[2]

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown.

        What local servers take for a key, such as `EMPTY`, is none, and may be a word of an answer.
        """
        found = [] if self.key in _NO_SECRETS else [self.key]
        return tuple(value for value in (*found, *self.headers.values()) if len(value) >= _SECRET)

    @property
    def is_loopback(self) -> bool:
        """Whether this machine serves it, so that no proxy may stand between."""
        return _is_loopback(urlsplit(self.base_url).hostname or "")


def missing_key(config: ProviderConfig, environ: Mapping[str, str]) -> str | None:
    """Name the environment variable that should hold the key and does not; None if all is well."""
    if config.simulated:
        return None
    names = _key_names(config)
    return names[0] if names and not any(_value(environ, name) for name in names) else None


def endpoint(config: ProviderConfig, environ: Mapping[str, str]) -> Endpoint:
    """Put together where to send and what with.

    A provider with an address of its own gets nothing of the SDK's ambient settings: neither key
    nor organisation nor headers. Raises UsageError for an address or key that cannot work.
    """
    missing = missing_key(config, environ)
    if missing is not None:
        raise UsageError(
            f"no key for {config.name}: {missing} is not set in this environment.\n"
            "cron does not read your shell's profile: set it in the crontab or the unit file."
        )
    ambient = _AMBIENT[config.api]
    at_home = config.base_url is None
    own_account = at_home and config.api_key_env in (None, *ambient.keys)
    openai = own_account and config.api != "anthropic"
    return Endpoint(
        api=config.api,
        base_url=base_url_of(config, environ),
        key=_key(config, environ),
        organization=_value(environ, "OPENAI_ORG_ID") if openai else None,
        project=_value(environ, "OPENAI_PROJECT_ID") if openai else None,
        headers=_custom_headers(_value(environ, ambient.headers)) if own_account else {},
    )


def _key_names(config: ProviderConfig) -> tuple[str, ...]:
    ambient = _AMBIENT[config.api]
    if config.base_url is None and config.api_key_env in (None, *ambient.keys):
        return ambient.keys
    return (config.api_key_env,) if config.api_key_env else ()


def _key(config: ProviderConfig, environ: Mapping[str, str]) -> str:
    for name in _key_names(config):
        key = _value(environ, name)
        if key is not None:
            if not all("!" <= character <= "~" for character in key):
                raise UsageError(
                    f"the key in {name} cannot be right: it holds a space, a line break or a "
                    "character beyond ASCII. Copy it again."
                )
            return key
    return NO_KEY


def base_url_of(config: ProviderConfig, environ: Mapping[str, str]) -> str:
    """Give the address of a provider. Raises UsageError for one that cannot work."""
    ambient = _AMBIENT[config.api]
    url, source = config.base_url, f"base_url of {config.name}"
    if url is None:
        url, source = _value(environ, ambient.base_url), ambient.base_url
    url = (url or ambient.default_url).strip().rstrip("/")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(character <= " " for character in url):
        _, at, place = url.rpartition("@")  # before it may stand a password, however odd
        shown = for_people(f"***@{place}" if at else url)
        raise UsageError(f"{source} is not an address such as http://127.0.0.1:8000/v1: {shown}")
    if "@" in parts.netloc:
        names = _key_names(config)
        where = names[0] if names else "a variable that api_key_env names"
        raise UsageError(
            f"{source} holds a user name or password, which is not sent.\n"
            f"Take it out of the address; a key belongs into {where}."
        )
    if parts.query or parts.fragment:
        raise UsageError(f"{source} must end before any ? or #.")
    return url.removesuffix("/v1") if config.api == "anthropic" else url


def _value(environ: Mapping[str, str], name: str) -> str | None:
    return environ.get(name, "").strip() or None


def _custom_headers(text: str | None) -> dict[str, str]:
    pairs = (line.partition(":") for line in (text or "").split("\n") if ":" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
