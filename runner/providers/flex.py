"""Which providers have the flex tier: live requests for less money, slowly, while there is room."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from runner.config import ProviderConfig
from runner.providers.endpoints import base_url_of

_HOME = "api.openai.com"


def has_flex(config: ProviderConfig, environ: Mapping[str, str]) -> bool:
    """Whether a provider's requests may ask for it.

    OpenAI's own addresses, regional ones included, have it and so has the simulator. Many other
    servers take `service_tier` and ignore it, so that each has to be named in the configuration.
    Raises UsageError for a bad address.
    """
    if config.api == "anthropic":
        return False
    if config.flex is not None or config.simulated:
        return config.flex is not False
    host = urlsplit(base_url_of(config, environ)).hostname or ""
    return host == _HOME or host.endswith(f".{_HOME}")
