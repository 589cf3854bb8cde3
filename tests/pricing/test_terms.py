"""What a request's parameters make of its price."""

from typing import Any

import pytest

from runner.pricing.terms import STANDARD, terms_of

FUNCTION = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"temperature": 0, "n": 2},
        {"service_tier": "auto"},
        {"service_tier": "default", "speed": "standard"},
        {"service_tier": None, "tools": None, "container": None},
        {"service_tier": "standard_only", "inference_geo": "global"},
        {"tools": [FUNCTION, {"type": "custom", "name": "c"}]},
        {"tools": [{"name": "f", "input_schema": {}}, {"type": "bash_20250124"}]},
        {"tools": [], "mcp_servers": [], "modalities": ["text"]},
    ],
)
def test_most_requests_are_at_standard_terms(params: dict[str, Any]) -> None:
    """Neither usual parameters nor tools that the caller runs change the price of a token."""
    assert terms_of(params) == STANDARD


@pytest.mark.parametrize(
    ("params", "terms"),
    [
        ({"service_tier": "priority"}, (("service_tier", "priority"),)),
        ({"service_tier": "flex"}, (("service_tier", "flex"),)),
        ({"speed": "fast"}, (("speed", "fast"),)),
        ({"speed": "fast", "service_tier": "flex"}, (("service_tier", "flex"), ("speed", "fast"))),
    ],
)
def test_other_terms_are_named(params: dict[str, Any], terms: Any) -> None:
    """Faster or slower service has prices of its own."""
    assert terms_of(params) == terms


@pytest.mark.parametrize(
    "params",
    [
        {"tools": [{"type": "web_search"}]},
        {"tools": [FUNCTION, {"type": "web_search_20250305"}]},
        {"tools": [{"type": 7}]},
        {"tools": ["web_search"]},
        {"tools": {"type": "function"}},
        {"web_search_options": {}},
        {"mcp_servers": [{"url": "https://far.example"}]},
        {"modalities": ["text", "audio"]},
        {"inference_geo": "us"},
        {"service_tier": 7},
        {"prompt": {"id": "p"}},
    ],
)
def test_what_costs_more_than_tokens_has_no_terms(params: dict[str, Any]) -> None:
    """The provider's own tools have fees that no token count tells of."""
    assert terms_of(params) is None


def test_a_lane_asks_for_a_tier_where_the_request_names_none() -> None:
    """A request's own tier is sent as it stands, and so it is charged."""
    assert terms_of({}, "flex") == (("service_tier", "flex"),)
    assert terms_of({"service_tier": None}, "flex") == (("service_tier", "flex"),)
    assert terms_of({"service_tier": "priority"}, "flex") == (("service_tier", "priority"),)
    assert terms_of({"service_tier": "default"}, "flex") == STANDARD
    assert terms_of({}, "batch") == (("processing", "batch"),)


@pytest.mark.parametrize("lane", ["live", "flex"])
@pytest.mark.parametrize("own", [{}, {"service_tier": "flex"}, {"service_tier": "priority"}])
def test_the_tier_that_was_used_decides(own: dict[str, Any], lane: str) -> None:
    """Whatever was asked for, the tier that the response names is charged."""
    assert terms_of(own, lane, "default") == STANDARD
    assert terms_of(own, lane, "flex") == (("service_tier", "flex"),)
    assert terms_of({**own, "speed": "fast"}, lane, "default") == (("speed", "fast"),)
    for untold in (None, "auto"):
        assert terms_of(own, lane, untold) == terms_of(own, lane)
