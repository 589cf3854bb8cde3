"""What a configuration file says of prices, checked. Knows no models and no arithmetic."""

import math
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from runner.config import TokenPrices
from runner.errors import UsageError
from runner.words import printable

_REQUIRED = ("input", "output")
_KEYS = (*_REQUIRED, "cached_input", "cache_write", "reasoning")
_OF_MODEL = frozenset({"prices", "flex_prices"})
_MOST = 1_000_000
"""USD per million tokens; a dollar a token is a slip."""


def read_prices(table: Any, source: str, place: str, name: str = "prices") -> TokenPrices:
    """Read `prices = { input = 0.10, output = 0.40 }`; raises UsageError naming the key.

    `name` is what the table is called: those of another tier are written alike.
    """
    what = f"{name} under {place}"
    if not isinstance(table, dict):
        raise UsageError(
            f"{source}: {what} is a table of USD per million tokens:\n"
            f"{name} = {{ input = 0.10, cached_input = 0.05, output = 0.40 }}"
        )
    for key, value in table.items():
        if key not in _KEYS:
            near = get_close_matches(key, _KEYS, n=1)
            hint = f'Did you mean "{near[0]}"?' if near else f"Known are: {', '.join(_KEYS)}."
            raise UsageError(f'{source}: unknown key "{printable(key)}" in {what}.\n{hint}')
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or not 0 <= value <= _MOST:
            raise UsageError(
                f"{source}: {key} in {what} must be a number from 0 on: USD per million tokens."
            )
    for key in _REQUIRED:
        if key not in table:
            raise UsageError(f"{source}: {what} lacks {key}. Where it costs nothing, write 0.")
    # By its digits: 0.1 as a binary fraction is a little more than a tenth.
    return TokenPrices(**{key: Decimal(str(value)) for key, value in table.items()})


def read_model_prices(
    table: Any, source: str, place: str
) -> tuple[Mapping[str, TokenPrices], Mapping[str, TokenPrices]]:
    """Read `[providers.NAME.models."MODEL"]`, which holds nothing but prices so far.

    Gives those of the standard tier and those of flex, by model.
    """
    standard: dict[str, TokenPrices] = {}
    flex: dict[str, TokenPrices] = {}
    for model, entry in (table if isinstance(table, dict) else {"": None}).items():
        there = f'{place[:-1]}.models."{printable(model)}"]'
        if not isinstance(entry, dict) or not entry or not entry.keys() <= _OF_MODEL:
            raise UsageError(
                f"{source}: a model under {place} holds prices and nothing else:\n{there}\n"
                "prices = { input = 0.10, output = 0.40 }"
            )
        for name, found in (("prices", standard), ("flex_prices", flex)):
            if name in entry:
                found[model] = read_prices(entry[name], source, there, name)
    return standard, flex
