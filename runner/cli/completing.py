"""What a shell is offered behind an option or for an argument. Imports no SDK, sends nothing.

Nothing here may fail: where a configuration cannot be read, what is built in is offered.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from runner.config import ProviderConfig

Item = CompletionItem[str]
_MOST_FILES = 500
"""Of a folder; who has more types another letter."""


def models(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[Item]:
    """Offer `provider/`, then the models that are known of it, or the simulator's scenarios."""
    providers = _providers(ctx)
    name, slash, start = incomplete.partition("/")
    if not slash:
        return _starting(incomplete, (f"{one}/" for one in providers))
    provider = providers.get(name)
    if provider is None:
        return []
    if provider.simulated:
        return [_item(f"{name}/{one.value}") for one in _scenarios(start)]
    return _starting(incomplete, (f"{name}/{model}" for model in _models(provider)))


def providers(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Item]:
    """Offer names of providers; behind a `/` their models."""
    if "/" in incomplete:
        return models(ctx, param, incomplete)
    return _starting(incomplete, _providers(ctx))


def scenarios(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Item]:
    """Offer the practice server's own scenarios, and TOML files."""
    return _scenarios(incomplete)


def kinds(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Item]:
    """Offer what `--retry` takes, behind the last comma."""
    from runner.results.resume import WORDS

    before, comma, start = incomplete.rpartition(",")
    listed = before.split(",")
    left = (word for word in sorted(WORDS) if word not in listed and word.startswith(start))
    return [_item(f"{before}{comma}{word}") for word in left]


def text_or_file(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Item]:
    """Offer files behind an `@`; a text nobody can guess."""
    if not incomplete.startswith("@"):
        return []
    return [_item(f"@{name}") for name in _files(incomplete[1:])]


def files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Item]:
    """Leave it to the shell, which knows files best."""
    return [CompletionItem(incomplete, type="file")]


def _item(value: str) -> Item:
    return CompletionItem(value)


def _starting(incomplete: str, words: Iterable[str]) -> list[Item]:
    return [_item(word) for word in dict.fromkeys(words) if word.startswith(incomplete)]


def _providers(ctx: click.Context) -> "Mapping[str, ProviderConfig]":
    from runner.config import BUILT_IN_PROVIDERS
    from runner.config_files import load_config

    try:
        return load_config(ctx.find_root().params.get("config")).providers
    except Exception:  # noqa: BLE001 - the command itself says what is wrong with the file
        return BUILT_IN_PROVIDERS


def _models(provider: "ProviderConfig") -> list[str]:
    own = list(provider.model_prices)
    if provider.base_url is not None:
        return own
    from runner.pricing.price_list import listed_models

    return [*own, *listed_models("anthropic" if provider.api == "anthropic" else "openai")]


def _scenarios(start: str) -> list[Item]:
    from runner.simulator.loading import built_in_names

    found = _starting(start, built_in_names())
    files = _files(start) if start else []
    return found + [_item(name) for name in files if name.endswith(("/", ".toml"))]


def _files(start: str) -> list[str]:
    """Name files and folders that begin so, folders with a slash at their end."""
    folder, _, name = start.rpartition("/")
    where = Path(f"{folder}/" if "/" in start else ".")
    try:
        entries = sorted(os.scandir(where), key=lambda entry: entry.name)[:_MOST_FILES]
    except OSError:
        return []
    hidden = name.startswith(".")
    shown = [one for one in entries if one.name.startswith(name)]
    head = f"{folder}/" if "/" in start else ""
    return [
        f"{head}{one.name}{'/' if one.is_dir() else ''}"
        for one in shown
        if hidden or not one.name.startswith(".")
    ]
