"""Token counts of the three APIs in one shape. What a provider did not say stays None."""

from typing import Any

import msgspec

from runner.models import Usage
from runner.providers.fields import count, mapping

__all__ = ["chat_usage", "messages_usage", "responses_usage"]


def chat_usage(value: object) -> Usage | None:
    """Read `usage` of Chat Completions; cached and reasoning tokens are parts of the totals."""
    usage = mapping(value)
    prompt = mapping(usage.get("prompt_tokens_details"))
    completion = mapping(usage.get("completion_tokens_details"))
    return _usage(
        usage.get("prompt_tokens"),
        usage.get("completion_tokens"),
        usage.get("total_tokens"),
        cached=prompt.get("cached_tokens"),
        written=prompt.get("cache_write_tokens"),
        reasoning=completion.get("reasoning_tokens"),
    )


def responses_usage(value: object) -> Usage | None:
    """Read `usage` of Responses; details are parts of the totals here too."""
    usage = mapping(value)
    prompt = mapping(usage.get("input_tokens_details"))
    completion = mapping(usage.get("output_tokens_details"))
    return _usage(
        usage.get("input_tokens"),
        usage.get("output_tokens"),
        usage.get("total_tokens"),
        cached=prompt.get("cached_tokens"),
        written=prompt.get("cache_write_tokens"),
        reasoning=completion.get("reasoning_tokens"),
    )


def messages_usage(value: object) -> Usage | None:
    """Read `usage` of Messages, whose `input_tokens` leaves out what the cache took part in."""
    usage = mapping(value)
    fresh = count(usage.get("input_tokens"))
    read = count(usage.get("cache_read_input_tokens"))
    written = count(usage.get("cache_creation_input_tokens"))
    told = _usage(
        None if fresh is None else fresh + (read or 0) + (written or 0),
        usage.get("output_tokens"),
        None,
        cached=read,
        written=written,
        reasoning=mapping(usage.get("output_tokens_details")).get("thinking_tokens"),
    )
    for_an_hour = count(mapping(usage.get("cache_creation")).get("ephemeral_1h_input_tokens"))
    if told is None or not for_an_hour:
        return told
    return msgspec.structs.replace(told, cache_write_1h_tokens=for_an_hour)


def _usage(
    asked: Any, answered: Any, total: Any, *, cached: Any, written: Any, reasoning: Any
) -> Usage | None:
    input_tokens, output_tokens, total_tokens = count(asked), count(answered), count(total)
    if input_tokens is None and output_tokens is None and total_tokens is None:
        return None
    if total_tokens is None and input_tokens is not None and output_tokens is not None:
        total_tokens = input_tokens + output_tokens
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_input_tokens=count(cached),
        cache_write_tokens=count(written),
        reasoning_tokens=count(reasoning),
        total_tokens=total_tokens,
    )
