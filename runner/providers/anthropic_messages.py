"""Anthropic's Messages: requests out, bodies read. Imports no SDK."""

from collections.abc import Mapping
from typing import Any, ClassVar

from runner.models import Api, Completion, FinishReason, Request
from runner.providers.answer_form import messages_config
from runner.providers.attaching import attached
from runner.providers.exchange import HttpProvider
from runner.providers.faults import no_answer
from runner.providers.fields import count, mapping, objects, string
from runner.providers.messages_assembly import MessagesAssembly
from runner.providers.surrogates import whole_text
from runner.providers.usage import messages_usage

DEFAULT_ANTHROPIC_MAX_TOKENS = 4096
"""Messages requires a cap; this one is sent, and said at the start, where nobody chose one."""

MOST_TOKENS_UNSTREAMED = 21_333
"""The SDK's own guard: it expects 128,000 tokens an hour and allows ten minutes."""

_MOST_TOKENS_BY_MODEL: dict[str, int] = {
    "claude-opus-4-20250514": 8_192,
    "claude-opus-4-0": 8_192,
    "claude-4-opus-20250514": 8_192,
    "anthropic.claude-opus-4-20250514-v1:0": 8_192,
    "claude-opus-4@20250514": 8_192,
    "anthropic.claude-opus-4-1-20250805-v1:0": 8_192,
    "claude-opus-4-1@20250805": 8_192,
}
"""Slower models, as `anthropic/_constants.py` of SDK 2.12 lists them."""

_CAP = "max_tokens"
_OURS = frozenset({"model", "stream"})
_FINISHES: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
    "pause_turn": "pause",
}


class AnthropicMessages(HttpProvider):
    """Messages at one endpoint."""

    api: Api = "anthropic"
    path: ClassVar[str] = "/v1/messages"

    def body(self, model: str, request: Request, *, stream: bool) -> dict[str, Any]:
        system, messages = request.system, request.messages or []
        if request.api is None:
            system, messages = _hoisted(system, messages)
        if request.files:
            messages = attached(messages, request.files, self.api)
        body: dict[str, Any] = {"model": model, "messages": messages}
        if system is not None:
            body["system"] = system
        body.update((name, value) for name, value in request.params.items() if name not in _OURS)
        if request.schema is not None:
            body["output_config"] = messages_config(request.schema, body.get("output_config"))
        cap = self.config.max_tokens_field or _CAP
        if cap not in body and _CAP not in body:
            asked = request.max_tokens
            body[cap] = DEFAULT_ANTHROPIC_MAX_TOKENS if asked is None else asked
        if stream:
            body["stream"] = True
        return body

    def must_stream(self, body: Mapping[str, Any]) -> bool:
        asked = count(body.get(_CAP)) or 0
        most = _MOST_TOKENS_BY_MODEL.get(str(body.get("model")), MOST_TOKENS_UNSTREAMED)
        return asked > most

    def read(self, body: dict[str, Any]) -> Completion:
        if not isinstance(body.get("content"), list):
            raise no_answer(body)
        return read_message(body)

    def is_ended(self, body: dict[str, Any]) -> bool:
        return string(body.get("stop_reason")) is not None

    def assembly(self) -> MessagesAssembly:
        return MessagesAssembly(read_message)


def read_message(body: dict[str, Any]) -> Completion:
    """Map a `message`, whole or as far as it came."""
    blocks = [block for block in objects(body.get("content")) if block.get("type") == "text"]
    texts = [text for text in (block.get("text") for block in blocks) if isinstance(text, str)]
    return Completion(
        text=whole_text("".join(texts)) if texts else None,
        finish_reason=_FINISHES.get(string(body.get("stop_reason")) or "", "other"),
        usage=messages_usage(body.get("usage")),
        response_model=string(body.get("model")),
    )


def _hoisted(system: Any, messages: list[dict[str, Any]]) -> tuple[Any, list[dict[str, Any]]]:
    """Move leading system messages, as other APIs know them, to where Messages wants them."""
    found = [] if system is None else [system]
    rest = list(messages)
    while rest and rest[0].get("role") in ("system", "developer") and _is_text(rest[0]):
        found.append(rest.pop(0)["content"])
    if len(found) < 2:
        return (found[0] if found else None), rest
    if all(isinstance(one, str) for one in found):
        return "\n\n".join(found), rest
    return [block for one in found for block in _blocks(one)], rest


def _is_text(message: dict[str, Any]) -> bool:
    content = message.get("content")
    if isinstance(content, list):
        return all(mapping(part).get("type") == "text" for part in content)
    return isinstance(content, str)


def _blocks(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
