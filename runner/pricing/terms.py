"""What a request's parameters make of its price. Pure."""

from collections.abc import Mapping
from typing import Any

from runner.pricing.tiers import asked_tier, is_told

Terms = tuple[tuple[str, str], ...]
"""Names and values by which a price list tells prices of one model apart."""
STANDARD: Terms = ()

_TELLING = frozenset(
    {"speed", "inference_geo", "tools", "web_search_options", "mcp_servers"}
    | {"container", "modalities", "background_options", "prompt"}
)
_STANDARD_TIERS = (None, "auto", "default", "standard_only")
_STANDARD_SPEEDS = (None, "standard")
_NO_FEES: Mapping[str, tuple[object, ...]] = {
    "inference_geo": (None, "global"),
    "web_search_options": (None,),
    "mcp_servers": (None, []),
    "container": (None,),
    "modalities": (None, ["text"]),
    "background_options": (None,),
    "prompt": (None,),
}
"""Any other value may cost what no token count tells of."""
_OWN_TOOLS = ("function", "custom", None)
_RUN_HERE = ("bash_", "text_editor_", "computer_", "memory_")
"""Anthropic's tools that the caller runs: tokens are all they cost."""
_LANES: Mapping[str, Terms] = {
    "live": STANDARD,
    "flex": STANDARD,  # what it asks for is the tier
    "batch": (("processing", "batch"),),
}


def terms_of(
    params: Mapping[str, Any], lane: str = "live", told: str | None = None
) -> Terms | None:
    """Read the terms of a request; None where it may cost more than its tokens.

    `told`: the tier at which the response says it was served, over the one that was asked for.
    """
    tier = told if is_told(told) else asked_tier(params, lane)
    if _TELLING.isdisjoint(params) and tier in _STANDARD_TIERS:
        return _LANES[lane]
    if not all(params.get(name) in plain for name, plain in _NO_FEES.items()):
        return None
    if not _only_own_tools(params.get("tools")):
        return None
    asked: dict[str, Any] = dict(_LANES[lane])
    if tier not in _STANDARD_TIERS:
        asked["service_tier"] = tier
    if (speed := params.get("speed")) not in _STANDARD_SPEEDS:
        asked["speed"] = speed
    if not all(isinstance(value, str) for value in asked.values()):
        return None
    return tuple(sorted(asked.items()))


def _only_own_tools(tools: object) -> bool:
    if tools is None:
        return True
    return isinstance(tools, list) and all(
        isinstance(tool, dict)
        and (
            tool.get("type") in _OWN_TOOLS
            or (isinstance(tool["type"], str) and tool["type"].startswith(_RUN_HERE))
        )
        for tool in tools
    )
