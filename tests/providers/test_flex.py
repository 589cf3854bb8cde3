"""Who has the flex tier, and how a lack of room is told from the account's own limits."""

from dataclasses import replace
from typing import Any

import pytest

from runner.config import BUILT_IN_PROVIDERS, ProviderConfig
from runner.models import Completion
from runner.providers.assembling import unfinished
from runner.providers.failures import Failures
from runner.providers.flex import has_flex
from runner.providers.openai_chat import read_chat
from runner.providers.openai_responses import read_response

HERE = ProviderConfig(name="here", api="openai", base_url="http://127.0.0.1:8000/v1")
EU = replace(HERE, base_url="https://eu.api.openai.com/v1")
LOOKALIKE = replace(HERE, base_url="https://api.openai.com.example/v1")
ELSEWHERE = {"OPENAI_BASE_URL": "http://127.0.0.1:8000/v1"}


@pytest.mark.parametrize(
    ("config", "environ", "has"),
    [
        (BUILT_IN_PROVIDERS["openai"], {}, True),
        (BUILT_IN_PROVIDERS["openai-responses"], {}, True),
        (BUILT_IN_PROVIDERS["openai"], ELSEWHERE, False),
        (replace(BUILT_IN_PROVIDERS["openai"], flex=True), ELSEWHERE, True),
        (replace(BUILT_IN_PROVIDERS["openai"], flex=False), {}, False),
        (BUILT_IN_PROVIDERS["sim"], {}, True),
        (BUILT_IN_PROVIDERS["sim-responses"], {}, True),
        (BUILT_IN_PROVIDERS["anthropic"], {}, False),
        (BUILT_IN_PROVIDERS["sim-anthropic"], {}, False),
        (HERE, {}, False),
        (replace(HERE, flex=True), {}, True),
        (EU, {}, True),
        (LOOKALIKE, {}, False),
    ],
)
def test_who_has_flex(config: ProviderConfig, environ: dict[str, str], has: bool) -> None:
    """OpenAI itself, the simulator, and whom the configuration names; a look-alike has not."""
    assert has_flex(config, environ) is has


@pytest.mark.parametrize(
    ("status", "body", "lacks"),
    [
        (429, b'{"error":{"code":"resource_unavailable","message":"No capacity"}}', True),
        (429, b'{"error":{"type":"resource_unavailable","code":null,"message":"x"}}', True),
        (429, b'{"error":{"code":"429","message":"Resource Unavailable"}}', True),
        (200, b'{"error":{"code":"resource_unavailable","message":"No capacity"}}', True),
        (498, b'{"error":{"code":"capacity_exceeded","message":"flex"}}', True),
        (429, b'{"error":{"code":"rate_limit_exceeded","message":"Rate limit reached"}}', False),
        (429, b'{"error":{"code":"insufficient_quota","message":"resource unavailable"}}', False),
        (503, b'{"error":{"code":"server_is_overloaded","message":"busy"}}', False),
        (529, b'{"error":{"type":"overloaded_error","message":"busy"}}', False),
        (503, b"resource unavailable", False),
    ],
)
def test_a_lack_of_room_is_told_apart(status: int, body: bytes, lacks: bool) -> None:
    """It is an overload worth a retry, no refusal for rate and no empty account."""
    failures = Failures("api.openai.com")
    read = failures.of_unusable if status == 200 else None
    error = read({}, body) if read else failures.of_response(status, {}, body)
    assert error.no_capacity is lacks
    if lacks:
        assert (error.kind, error.retryable, error.fatal) == ("overloaded", True, False)


@pytest.mark.parametrize("tier", ["flex", "default", None, 7])
def test_the_tier_is_read_from_both_shapes(tier: Any) -> None:
    """What is no name is no tier; an answer that did not end names none for certain."""
    told = tier if isinstance(tier, str) else None
    chat: dict[str, Any] = {"choices": [{"message": {"content": "x"}}], "service_tier": tier}
    response: dict[str, Any] = {"output": [], "service_tier": tier}
    assert read_chat(chat).service_tier == told
    assert read_response(response).service_tier == told
    assert unfinished(Completion(service_tier="flex")).service_tier is None
