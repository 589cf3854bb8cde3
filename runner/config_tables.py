"""One configuration document, checked key by key. Knows no files and no precedence."""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from types import UnionType
from typing import Any, get_args
from urllib.parse import urlsplit

from runner.config import BUILT_IN_PROVIDERS, OptionTable, ProviderConfig
from runner.config_prices import read_model_prices, read_prices
from runner.errors import UsageError
from runner.models import Api
from runner.words import printable, seconds

OPTION_TABLES = ("batch", "tail", "check", "show", "report", "export", "simulate")
"""The commands whose options may stand in a table; [providers] is taken by what it configures."""
_TABLES = ("defaults", "providers")
_DEFAULTS = ("model", "provider")
_PROVIDER_KEYS: Mapping[str, type | UnionType] = {
    "api": str,
    "base_url": str,
    "api_key_env": str,
    "max_tokens_field": str,
    "include_usage": bool,
    "finish_reason": str,
    "idle_timeout": str | int | float,
    "rpm": int,
    "tpm": int,
    "prices": dict,
    "flex": bool,
    "flex_prices": dict,
    "models": dict,
}
_KEY_ITSELF = frozenset({"api_key", "apikey", "key", "token", "api_token", "auth_token", "secret"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HOST_AND_PORT = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\[\]]*)(?::\d*)?")
"""`urlsplit` takes the brackets for the host wherever they stand, as in `far.example[::1]`."""
_PRICES = ("prices", "flex_prices")
_OF_SIMULATORS = frozenset({*_PRICES, "model_prices", "model_flex_prices"})
_FINISH_REASONS = ("required", "optional")
_TYPE_WORDS: Mapping[type | UnionType, str] = {
    str: "text in quotes",
    bool: "true or false",
    str | int | float: 'a time such as "5m", or seconds',
    dict: "a table such as prices = { input = 0.10, output = 0.40 }",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """One configuration file, parsed and checked."""

    source: str
    trusted: bool
    """False for a `runner.toml` that merely lies in the working directory."""
    model: str | None = None
    provider: str | None = None
    providers: Mapping[str, ProviderConfig] = field(default_factory=dict)
    options: Mapping[str, OptionTable] = field(default_factory=dict)


def read_document(data: Mapping[str, Any], *, source: str, trusted: bool) -> Document:
    """Check a parsed TOML document; raises UsageError naming the file and the key."""
    _known(data, (*_TABLES, *OPTION_TABLES), source, "")
    for name, table in data.items():
        if not isinstance(table, dict):
            raise UsageError(f"{source}: {name} is a table; write it as [{name}].")
    defaults = data.get("defaults", {})
    _known(defaults, _DEFAULTS, source, " under [defaults]")
    for key, value in defaults.items():
        _typed(value, str, source, f"{key} under [defaults]")
    return Document(
        source=source,
        trusted=trusted,
        model=defaults.get("model"),
        provider=defaults.get("provider"),
        providers={
            name: _provider(name, table, source, trusted=trusted)
            for name, table in data.get("providers", {}).items()
        },
        options={
            name: OptionTable(source=source, trusted=trusted, values=data[name])
            for name in OPTION_TABLES
            if name in data
        },
    )


def unknown_key(key: str, known: Iterable[str], source: str, place: str) -> UsageError:
    """The error for a key that means nothing, with the nearest one that does."""
    names = list(known)
    near = get_close_matches(key, names, n=1)
    hint = f'Did you mean "{near[0]}"?' if near else f"Known are: {', '.join(names)}."
    return UsageError(f'{source}: unknown key "{printable(key)}"{place}.\n{hint}')


def _known(table: Mapping[str, Any], known: Iterable[str], source: str, place: str) -> None:
    names = list(known)
    for key in table:
        if key not in names:
            raise unknown_key(key, names, source, place)


def _typed(value: Any, expected: type | UnionType, source: str, what: str) -> None:
    odd = isinstance(value, bool) and expected is not bool
    if odd or not isinstance(value, expected) or value == "":
        raise UsageError(f"{source}: {what} must be {_TYPE_WORDS[expected]}.")


def _provider(name: str, table: Any, source: str, *, trusted: bool) -> ProviderConfig:
    place = f"[providers.{printable(name)}]"
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{source}: {place}: a provider's name is made of letters, digits, dots, hyphens "
            "and underscores."
        )
    if not isinstance(table, dict):
        raise UsageError(f"{source}: {name} under [providers] is a table; write it as {place}.")
    _refuse_keys(table, source, place)
    _known(table, _PROVIDER_KEYS, source, f" under {place}")
    for key, value in table.items():
        _typed(value, _PROVIDER_KEYS[key], source, f"{key} under {place}")
    _check_values(table, source, place)
    if not trusted:
        _check_untrusted(name, table, source, place)
    return _made(name, table, source, place)


def _refuse_keys(table: Mapping[str, Any], source: str, place: str) -> None:
    """A key never stands in the file; neither does it in the message."""
    variable = table.get("api_key_env")
    pasted = isinstance(variable, str) and not _VARIABLE.fullmatch(variable)
    written = [key for key in table if key.lower().replace("-", "_") in _KEY_ITSELF]
    if written or pasted:
        raise UsageError(
            f"{source}: {written[0] if written else 'api_key_env'} under {place}: a key itself is "
            "never written in this file. Put it into an environment variable and name that "
            'one here:  api_key_env = "MY_PROVIDER_KEY"'
        )


def _check_values(table: Mapping[str, Any], source: str, place: str) -> None:
    if "api" in table and table["api"] not in get_args(Api):
        raise UsageError(f"{source}: api under {place} must be one of {', '.join(get_args(Api))}.")
    if table.get("finish_reason", "required") not in _FINISH_REASONS:
        known = " or ".join(_FINISH_REASONS)
        raise UsageError(f"{source}: finish_reason under {place} must be {known}.")
    if "idle_timeout" in table and not seconds(str(table["idle_timeout"])):
        raise UsageError(
            f'{source}: idle_timeout under {place} must be a time longer than 0, such as "5m", or '
            "seconds."
        )
    for name in ("rpm", "tpm"):
        if table.get(name, 1) < 1:
            raise UsageError(f"{source}: {name} under {place} must be at least 1.")
    if "base_url" in table and (problem := _url_problem(table["base_url"])):
        raise UsageError(f"{source}: base_url under {place} {problem}")


def _url_problem(url: str) -> str | None:
    """What is wrong with an address; never the address itself, which may hold a password."""
    if re.search(r"[\s\\\x00-\x1f\x7f]", url):
        return "holds a blank, a backslash or a control character."
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not an address such as http://127.0.0.1:8000/v1."
    if "@" in parts.netloc:
        return (
            "holds a user name or password. Keys are named by "
            "api_key_env and never written in this file."
        )
    if (
        parts.scheme not in ("http", "https")
        or not host
        or not _HOST_AND_PORT.fullmatch(parts.netloc)
    ):
        return "is not an address such as http://127.0.0.1:8000/v1."
    if parts.query or parts.fragment:
        return "must end before any ? or #."
    return None


def _check_untrusted(name: str, table: Mapping[str, Any], source: str, place: str) -> None:
    """Hold a file that came with the folder to what cannot hurt whoever works there."""
    way_on = f"If you mean it, pass  --config {source}  or put it into your own file."
    if name in BUILT_IN_PROVIDERS:
        raise UsageError(
            f"{source}: {place} would redefine a built-in provider, which a file that "
            f"merely lies in the folder may not. {way_on}"
        )
    if not is_loopback(table.get("base_url", "")):
        raise UsageError(
            f"{source}: {place}: a file that merely lies in the folder may only name "
            f"providers on this machine (http://127.0.0.1:...). {way_on}"
        )
    if table.get("api_key_env", "").upper().startswith(("OPENAI_", "ANTHROPIC_")):
        raise UsageError(
            f"{source}: {place}: a file that merely lies in the folder may not pass on the "
            f"key in {table['api_key_env']}. {way_on}"
        )


def is_loopback(url: str) -> bool:
    """Whether an address can only be this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _take_prices(table: dict[str, Any], source: str, place: str) -> None:
    for key in _PRICES:
        if key in table:
            table[key] = read_prices(table[key], source, place, key)
    if "models" in table:
        standard, flex = read_model_prices(table.pop("models"), source, place)
        table |= {"model_prices": standard, "model_flex_prices": flex}


def _checked_api(table: Mapping[str, Any], api: str, source: str, place: str) -> None:
    """Refuse what only some APIs have."""
    if "finish_reason" in table and api != "openai":
        raise UsageError(
            f'{source}: finish_reason under {place} is for api = "openai"; {api} always says how '
            "an answer ended."
        )
    if table.get("flex") and api == "anthropic":
        raise UsageError(f'{source}: flex under {place}: api = "{api}" has no such tier.')


def _made(name: str, table: Mapping[str, Any], source: str, place: str) -> ProviderConfig:
    built_in = BUILT_IN_PROVIDERS.get(name)
    table = dict(table)
    if "idle_timeout" in table:
        table["idle_timeout_s"] = seconds(str(table.pop("idle_timeout")))
    _take_prices(table, source, place)
    api = built_in.api if built_in else table.get("api", "openai")
    _checked_api(table, api, source, place)
    if built_in is None:
        for key in ("api", "base_url"):
            if key not in table:
                raise UsageError(f"{source}: {place} lacks {key}.")
        return ProviderConfig(name=name, source=source, **table)
    if built_in.simulated and not table.keys() <= _OF_SIMULATORS:
        raise UsageError(
            f"{source}: {name} is the built-in simulator, which takes prices and nothing else; "
            "choose another name."
        )
    if table.get("api", built_in.api) != built_in.api:
        raise UsageError(
            f"{source}: api under {place} is {built_in.api}; choose another name for another API."
        )
    return replace(built_in, source=source, **table)
