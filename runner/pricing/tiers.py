"""Service tiers of live requests: what is asked for, and what was given. Pure.

A job's own `service_tier` is sent as it stands, whatever the lane; where it names none, the flex
lane asks for flex. What the response names decides over what was asked for.
"""

from collections.abc import Mapping
from typing import Any, Literal

FLEX = "flex"
_UNTOLD = (None, "auto")
"""`auto` is what a request may say; as an answer it names no tier."""


def own_tier(params: Mapping[str, Any]) -> object:
    """Give the tier that a request names itself; None where it leaves the choice."""
    return params.get("service_tier")


def asked_tier(params: Mapping[str, Any], lane: str) -> object:
    """Give the tier that is asked for in a lane; None where nobody names one."""
    own = own_tier(params)
    return FLEX if own is None and lane == "flex" else own


def at_flex(params: Mapping[str, Any]) -> dict[str, Any]:
    """Write the flex tier into a request's parameters."""
    return {**params, "service_tier": FLEX}


def is_told(tier: str | None) -> bool:
    """Whether a response names the tier at which it was served."""
    return tier not in _UNTOLD


def lane_served(asked: object, told: str | None) -> Literal["live", "flex"]:
    """Name the lane in which a request was served, for its record.

    Where the response does not say, and where there is none, it is the one that was asked for;
    what it cost is then unknown (see `PriceBook.cost`).
    """
    return "flex" if (told if is_told(told) else asked) == FLEX else "live"
