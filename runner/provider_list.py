"""`runner providers`: what is configured, where each value came from, whether a key is there.

Never holds a key, and sends nothing.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import msgspec

from runner.config import Config, ProviderConfig
from runner.errors import UsageError
from runner.models import Api
from runner.providers.endpoints import endpoint, missing_key
from runner.view.layout import wrap
from runner.words import printable

_ADDRESS_VARIABLES: Mapping[Api, str] = {
    "openai": "OPENAI_BASE_URL",
    "openai-responses": "OPENAI_BASE_URL",
    "anthropic": "ANTHROPIC_BASE_URL",
}


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One provider as it would be used now."""

    name: str
    api: str
    source: str
    """`built in`, or the file that configured it."""
    base_url: str | None
    """None for the simulator, which gets an address when it is started."""
    base_url_source: str | None
    """`built in`, a file, or an environment variable."""
    key_variable: str | None
    """The variable that holds the key, or should; None where none is needed."""
    key_is_set: bool | None
    problem: str | None = None
    """Why it cannot be used as it is, but for a missing key."""


def listed(config: Config, environ: Mapping[str, str]) -> list[Listed]:
    """Look at every provider in the light of the environment."""
    return [_looked_at(provider, environ) for provider in config.providers.values()]


def _looked_at(provider: ProviderConfig, environ: Mapping[str, str]) -> Listed:
    missing = missing_key(provider, environ)
    url, url_source, problem = None, None, None
    if not provider.simulated:
        variable = _ADDRESS_VARIABLES[provider.api]
        url_source = provider.source
        if provider.base_url is None:
            url_source = variable if environ.get(variable, "").strip() else "built in"
        try:
            # An address is worth showing before there is a key.
            known = environ if missing is None else {**environ, missing: "-"}
            url = without_user(endpoint(provider, known).base_url)
        except UsageError as error:
            problem = str(error)
    return Listed(
        name=provider.name,
        api=provider.api,
        source=provider.source,
        base_url=url,
        base_url_source=url_source,
        key_variable=missing or provider.api_key_env,
        key_is_set=None if provider.api_key_env is None else missing is None,
        problem=problem,
    )


def without_user(url: str) -> str:
    """Take user name, password, query and fragment out of an address."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def providers_text(config: Config, environ: Mapping[str, str]) -> str:
    """Say it for people: defaults, then two lines a provider."""
    lines = [*_default_lines(config, environ), ""]
    for one in listed(config, environ):
        lines += [wrap(line, indent="    ") for line in _provider_lines(one)]
    return "\n".join(lines)


def _default_lines(config: Config, environ: Mapping[str, str]) -> Iterator[str]:
    files = ", ".join(config.sources)
    yield wrap(f"files      {files or f'none (yours would be {config.user_file})'}")
    model, source = config.default_model, config.origins.get("model")
    if environ.get("RUNNER_MODEL"):
        model, source = environ["RUNNER_MODEL"], "RUNNER_MODEL"
    yield f"model      {f'{printable(model)} ({source})' if model else 'none chosen'}"
    if config.default_provider is not None:
        yield f"provider   {config.default_provider} ({config.origins['provider']})"
    for command, tables in config.options.items():
        for table in tables:
            for key in table.values:
                yield wrap(f"[{command}]".ljust(11) + f"{printable(key)} ({table.source})")


def _provider_lines(one: Listed) -> Iterator[str]:
    if one.key_variable is None:
        key = "needs no key"
    else:
        key = f"key in {one.key_variable}: {'set' if one.key_is_set else 'not set'}"
    yield f"{one.name:<18}{key}"
    if one.problem is not None:
        yield f"  {printable(one.problem)}"
    elif one.base_url is None:
        yield f"  {one.api}, started on this machine when asked ({one.source})"
    else:
        yield f"  {one.api} at {printable(one.base_url)} ({one.base_url_source})"


def providers_json(config: Config, environ: Mapping[str, str]) -> bytes:
    """The same for programs, one JSON object."""
    model, source = config.default_model, config.origins.get("model")
    if environ.get("RUNNER_MODEL"):
        model, source = environ["RUNNER_MODEL"], "RUNNER_MODEL"
    return msgspec.json.encode(
        {
            "files": config.sources,
            "model": model,
            "model_source": source,
            "default_provider": config.default_provider,
            "default_provider_source": config.origins.get("provider"),
            "providers": listed(config, environ),
        }
    )
