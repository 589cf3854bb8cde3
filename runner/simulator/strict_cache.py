"""Refuses marks for the cache that Anthropic refuses."""

from typing import Any

from runner.simulator.errors import ApiError
from runner.simulator.prefixes import blocks_of

_MOST = 4
_TTLS = ("5m", "1h")


def check_cache_marks(body: dict[str, Any]) -> None:
    """Check every `cache_control` of a body whose blocks were checked.

    Raises:
        ApiError: 400.
    """
    given = [(part, block["cache_control"]) for part, block in blocks_of(body) if _is_marked(block)]
    if body.get("cache_control") is not None:
        given.append(("", body["cache_control"]))
    for part, mark in given:
        _check_mark(f"{part}.cache_control".lstrip("."), mark)
    if len(given) > _MOST:
        found = f"A maximum of {_MOST} blocks with cache_control may be provided."
        raise ApiError(400, f"{found} Found {len(given)}.")
    ttls = [mark.get("ttl", "5m") for _, mark in given]
    if ttls != sorted(ttls):
        raise ApiError(
            400,
            "cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m'"
            " cache_control block. Note that blocks are processed in the following order:"
            " `tools`, `system`, `messages`.",
        )


def _is_marked(block: Any) -> bool:
    return isinstance(block, dict) and block.get("cache_control") is not None


def _check_mark(place: str, mark: Any) -> None:
    if not isinstance(mark, dict):
        raise ApiError(400, f"{place}: Input should be an object")
    if mark.get("type") != "ephemeral":
        raise ApiError(400, f"{place}.type: Input should be 'ephemeral'")
    if mark.get("ttl", "5m") not in _TTLS:
        raise ApiError(400, f"{place}.ttl: Input should be '5m' or '1h'")
    for key in mark:
        if key not in ("type", "ttl"):
            raise ApiError(400, f"{place}.{key}: Extra inputs are not permitted")
