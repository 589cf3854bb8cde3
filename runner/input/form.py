"""Where a request says itself which form its answer must have, by the names of all APIs. Pure."""

from collections.abc import Mapping
from typing import Any

_WHOLE = ("response_format", "output_format")
_WITHIN = ("text", "output_config")
"""Objects that may hold a `format` beside other things."""


def own_form(params: Mapping[str, Any]) -> str | None:
    """Name the parameter that sets the form of the answer; None where none does."""
    for name in _WHOLE:
        if name in params:
            return name
    for name in _WITHIN:
        value = params.get(name)
        # What is no object cannot take a format beside it, and is left to the provider to refuse.
        if value is not None and (not isinstance(value, dict) or "format" in value):
            return name
    return None
