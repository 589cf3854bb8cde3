"""Requests put into each API's shape. No SDK is needed for it."""

import subprocess
import sys
from typing import Any

import pytest

from runner.config import ProviderConfig
from runner.models import Api, Request
from runner.providers.anthropic_messages import (
    DEFAULT_ANTHROPIC_MAX_TOKENS,
    MOST_TOKENS_UNSTREAMED,
    AnthropicMessages,
)
from runner.providers.endpoints import Endpoint
from runner.providers.exchange import HttpProvider
from runner.providers.openai_chat import OpenAIChat
from runner.providers.openai_responses import OpenAIResponses
from runner.providers.transport import Reply

USER = {"role": "user", "content": "q"}
PARTS = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:x"}}]}
SYSTEM = {"role": "system", "content": "s"}
ADAPTERS: dict[Api, type[HttpProvider]] = {
    "openai": OpenAIChat,
    "openai-responses": OpenAIResponses,
    "anthropic": AnthropicMessages,
}


class NoTransport:
    """Sends nothing: putting a body together must not need the network."""

    async def send(self, path: str, content: bytes, *, timeout_s: float) -> Reply:
        raise AssertionError("nothing is sent here")

    async def aclose(self) -> None:
        """Close nothing."""


def adapter(api: Api, **settings: Any) -> HttpProvider:
    """Make an adapter that cannot send."""
    config = ProviderConfig(name="p", api=api, **settings)
    return ADAPTERS[api](config, Endpoint(api=api, base_url="http://h"), NoTransport())


def body(api: Api, request: Request, *, stream: bool = False, **settings: Any) -> dict[str, Any]:
    """Put a request together."""
    return adapter(api, **settings).body("m", request, stream=stream)


CHAT = {"model": "m", "messages": [USER]}
RESPONSES = {"model": "m", "input": [USER]}
MESSAGES = {"model": "m", "messages": [USER]}
CAPPED = {**MESSAGES, "max_tokens": DEFAULT_ANTHROPIC_MAX_TOKENS}
NATIVE: list[tuple[Api, Request, dict[str, Any]]] = [
    ("openai", Request(messages=[USER]), CHAT),
    ("openai", Request(messages=[USER], system="s"), {"model": "m", "messages": [SYSTEM, USER]}),
    ("openai", Request(messages=[PARTS]), {"model": "m", "messages": [PARTS]}),
    ("openai", Request(messages=[USER], max_tokens=5), {**CHAT, "max_completion_tokens": 5}),
    (
        "openai",
        Request(messages=[USER], max_tokens=5, params={"max_tokens": 7, "seed": 1}),
        {**CHAT, "max_tokens": 7, "seed": 1},
    ),
    ("openai", Request(messages=[USER], params={"stream": True, "stream_options": {}}), CHAT),
    ("openai-responses", Request(messages=[USER]), RESPONSES),
    (
        "openai-responses",
        Request(messages=[USER], system="s", max_tokens=5, params={"store": False}),
        {**RESPONSES, "instructions": "s", "store": False, "max_output_tokens": 5},
    ),
    (
        "openai-responses",
        Request(messages=[USER], max_tokens=5, params={"max_output_tokens": 7, "stream": True}),
        {**RESPONSES, "max_output_tokens": 7},
    ),
    ("anthropic", Request(messages=[USER]), CAPPED),
    ("anthropic", Request(messages=[USER], max_tokens=5), {**MESSAGES, "max_tokens": 5}),
    ("anthropic", Request(messages=[USER], system="s"), {**CAPPED, "system": "s"}),
    ("anthropic", Request(messages=[SYSTEM, USER]), {**CAPPED, "system": "s"}),
    (
        "anthropic",
        Request(messages=[SYSTEM, {"role": "developer", "content": "d"}, USER], system="a"),
        {**CAPPED, "system": "a\n\ns\n\nd"},
    ),
    (
        "anthropic",
        Request(
            messages=[{"role": "system", "content": [{"type": "text", "text": "t"}]}, USER],
            system="a",
        ),
        {**CAPPED, "system": [{"type": "text", "text": "a"}, {"type": "text", "text": "t"}]},
    ),
    (
        "anthropic",
        Request(messages=[{"role": "system", "content": [{"type": "image"}]}]),
        {**CAPPED, "messages": [{"role": "system", "content": [{"type": "image"}]}]},
    ),
    (
        "anthropic",
        Request(messages=[USER], max_tokens=5, params={"max_tokens": 7}),
        {**MESSAGES, "max_tokens": 7},
    ),
]


@pytest.mark.parametrize(("api", "request_", "expected"), NATIVE)
def test_native_request(api: Api, request_: Request, expected: dict[str, Any]) -> None:
    """A request in the user's words takes each API's shape, the model and the question first."""
    made = body(api, request_)
    assert made == expected
    assert list(made)[:2] == list(expected)[:2]


BATCH: list[tuple[Api, Request, dict[str, Any]]] = [
    (
        "openai",
        Request(api="openai", messages=[SYSTEM, USER], params={"max_tokens": 3, "n": 2}),
        {"model": "m", "messages": [SYSTEM, USER], "max_tokens": 3, "n": 2},
    ),
    (
        "openai-responses",
        Request(api="openai-responses", params={"input": "q", "instructions": "s"}),
        {"model": "m", "input": "q", "instructions": "s"},
    ),
    (
        "anthropic",
        Request(
            api="anthropic",
            messages=[SYSTEM, USER],
            system=[{"type": "text", "text": "a"}],
            params={"max_tokens": 3},
        ),
        {
            "model": "m",
            "messages": [SYSTEM, USER],
            "system": [{"type": "text", "text": "a"}],
            "max_tokens": 3,
        },
    ),
]


@pytest.mark.parametrize(("api", "request_", "expected"), BATCH)
def test_batch_shaped_request(api: Api, request_: Request, expected: dict[str, Any]) -> None:
    """A line in a provider's batch shape is put together again unchanged."""
    assert body(api, request_) == expected


@pytest.mark.parametrize(
    ("api", "params", "settings", "added"),
    [
        ("openai", {}, {}, {"stream": True, "stream_options": {"include_usage": True}}),
        ("openai", {}, {"include_usage": False}, {"stream": True}),
        (
            "openai",
            {"stream_options": {"include_obfuscation": False}},
            {},
            {
                "stream": True,
                "stream_options": {"include_usage": True, "include_obfuscation": False},
            },
        ),
        (
            "openai-responses",
            {"stream_options": {"include_obfuscation": False}, "stream": False},
            {},
            {"stream": True, "stream_options": {"include_obfuscation": False}},
        ),
        ("anthropic", {}, {}, {"stream": True, "max_tokens": DEFAULT_ANTHROPIC_MAX_TOKENS}),
    ],
)
def test_stream_request(
    api: Api, params: dict[str, Any], settings: dict[str, Any], added: dict[str, Any]
) -> None:
    """Streaming is asked for by runner alone, and by whatever else that API needs for it."""
    request = Request(messages=[USER], params=params)
    question = RESPONSES if api == "openai-responses" else CHAT
    assert body(api, request, stream=True, **settings) == {**question, **added}


@pytest.mark.parametrize("api", ADAPTERS)
def test_configured_name_of_the_cap(api: Api) -> None:
    """A compatible server can have its own name for the cap."""
    made = body(api, Request(messages=[USER], max_tokens=5), max_tokens_field="num_predict")
    assert made["num_predict"] == 5
    assert not {"max_tokens", "max_completion_tokens", "max_output_tokens"} & set(made)


def test_request_is_left_as_it_was() -> None:
    """Putting bodies together changes nothing in the request."""
    request = Request(messages=[SYSTEM, USER], system="a", params={"stream": True})
    for api in ADAPTERS:
        body(api, request, stream=True)
    assert request == Request(messages=[SYSTEM, USER], system="a", params={"stream": True})


@pytest.mark.parametrize(
    ("api", "made", "expected"),
    [
        ("anthropic", {"model": "m", "max_tokens": MOST_TOKENS_UNSTREAMED}, False),
        ("anthropic", {"model": "m", "max_tokens": MOST_TOKENS_UNSTREAMED + 1}, True),
        ("anthropic", {"model": "claude-opus-4-0", "max_tokens": 8_193}, True),
        ("anthropic", {"model": "m", "max_tokens": "many"}, False),
        ("openai", {"max_completion_tokens": 10**6}, False),
        ("openai-responses", {"max_output_tokens": 10**6}, False),
    ],
)
def test_must_stream(api: Api, made: dict[str, Any], expected: bool) -> None:
    """Only answers that may outlast Anthropic's ten minutes have to be streamed."""
    assert adapter(api).must_stream(made) == expected


def test_slow_models_are_those_of_the_sdk() -> None:
    """The table of slower models is the SDK's own."""
    from anthropic._constants import MODEL_NONSTREAMING_TOKENS

    for model, most in MODEL_NONSTREAMING_TOKENS.items():
        asked = {"model": model, "max_tokens": most + 1}
        assert adapter("anthropic").must_stream(asked)
        assert not adapter("anthropic").must_stream({**asked, "max_tokens": most})


def test_no_sdk_is_imported() -> None:
    """Adapters and registry load without any SDK or HTTP library."""
    modules = "registry", "openai_chat", "openai_responses", "anthropic_messages", "failures"
    code = "".join(f"import runner.providers.{name}\n" for name in modules)
    code += "import sys; print({'openai','anthropic','httpx2','aiohttp'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
