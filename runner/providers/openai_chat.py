"""OpenAI's Chat Completions, and the many servers that speak it: requests out, bodies read.

Imports no SDK; `chat_assembly` puts streams together.
"""

from typing import Any, ClassVar

from runner.models import Api, Completion, FinishReason, Request
from runner.providers.answer_form import chat_format
from runner.providers.attaching import attached
from runner.providers.chat_assembly import ChatAssembly
from runner.providers.exchange import HttpProvider
from runner.providers.faults import FaultError, fault_in_choices, no_answer
from runner.providers.fields import index, joined_text, mapping, objects, string
from runner.providers.surrogates import whole_text
from runner.providers.usage import chat_usage

_CAPS = ("max_completion_tokens", "max_tokens")
_OURS = frozenset({"model", "stream", "stream_options"})
_FINISHES: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


class OpenAIChat(HttpProvider):
    """Chat Completions at one endpoint."""

    api: Api = "openai"
    path: ClassVar[str] = "/chat/completions"
    unfinished_advice: ClassVar[str] = (
        'where a server never does, set finish_reason = "optional" in its table of runner.toml'
    )

    def body(self, model: str, request: Request, *, stream: bool) -> dict[str, Any]:
        messages = list(request.messages or [])
        if request.files:
            messages = attached(messages, request.files, self.api)
        if request.system is not None:
            messages.insert(0, {"role": "system", "content": request.system})
        params = request.params
        body: dict[str, Any] = {"model": model, "messages": messages}
        body.update((name, value) for name, value in params.items() if name not in _OURS)
        if request.schema is not None:
            body["response_format"] = chat_format(request.schema)
        cap = self.config.max_tokens_field or _CAPS[0]
        if request.max_tokens is not None and not any(name in body for name in (cap, *_CAPS)):
            body[cap] = request.max_tokens
        if stream:
            body["stream"] = True
            wanted = {"include_usage": True} if self.config.include_usage else {}
            options = wanted | mapping(params.get("stream_options"))
            if options:
                body["stream_options"] = options
        return body

    def read(self, body: dict[str, Any]) -> Completion:
        fault = fault_in_choices(body.get("choices"))
        if fault is not None:
            raise FaultError(fault, read_chat(body))
        return read_chat(body)

    def is_ended(self, body: dict[str, Any]) -> bool:
        finishes = [choice.get("finish_reason") for choice in objects(body.get("choices"))]
        return all(map(string, finishes)) or self._finish_optional

    def assembly(self) -> ChatAssembly:
        return ChatAssembly(read_chat, finish_optional=self._finish_optional)

    @property
    def _finish_optional(self) -> bool:
        return self.config.finish_reason == "optional"


def read_chat(body: dict[str, Any]) -> Completion:
    """Map a `chat.completion`; choice 0 speaks where there are several."""
    choices = objects(body.get("choices"))
    if not choices:
        raise no_answer(body)
    choice = min(choices, key=lambda one: index(one.get("index")))
    message = mapping(choice.get("message"))
    refusal = string(message.get("refusal"))
    said = joined_text(message.get("content") if message else choice.get("text"))
    text = None if said is None else whole_text(said)
    finish = string(choice.get("finish_reason"))
    return Completion(
        text=whole_text(refusal) if refusal and not text else text,
        finish_reason=_finish(finish, refused=refusal is not None),
        usage=chat_usage(body.get("usage")),
        response_model=string(body.get("model")),
        service_tier=string(body.get("service_tier")),
    )


def _finish(name: str | None, *, refused: bool) -> FinishReason:
    finish = _FINISHES.get(name or "", "other")
    return "content_filter" if refused and finish == "stop" else finish
