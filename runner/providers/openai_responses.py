"""OpenAI's Responses: requests out, bodies read. Imports no SDK."""

from collections.abc import Iterator
from typing import Any, ClassVar

from runner.models import Api, Completion, FinishReason, Request
from runner.providers.answer_form import responses_text
from runner.providers.attaching import attached
from runner.providers.exchange import HttpProvider
from runner.providers.faults import Fault, FaultError, fault_of, no_answer
from runner.providers.fields import mapping, objects, string
from runner.providers.responses_assembly import ResponsesAssembly
from runner.providers.surrogates import whole_text
from runner.providers.usage import responses_usage

_CAP = "max_output_tokens"
_TOOL_CALLS = frozenset({"function_call", "custom_tool_call"})
_CUTS: dict[str, FinishReason] = {
    "max_output_tokens": "length",
    "content_filter": "content_filter",
}


class OpenAIResponses(HttpProvider):
    """Responses at one endpoint."""

    api: Api = "openai-responses"
    path: ClassVar[str] = "/responses"

    def body(self, model: str, request: Request, *, stream: bool) -> dict[str, Any]:
        body: dict[str, Any] = {"model": model}
        if request.messages is not None:
            body["input"] = request.messages
        if request.files:
            body["input"] = attached(request.messages or [], request.files, self.api)
        if request.system is not None:
            body["instructions"] = request.system
        unwanted = {"model", "stream"} if stream else {"model", "stream", "stream_options"}
        body.update((name, value) for name, value in request.params.items() if name not in unwanted)
        if request.schema is not None:
            body["text"] = responses_text(request.schema, body.get("text"))
        cap = self.config.max_tokens_field or _CAP
        if request.max_tokens is not None and cap not in body and _CAP not in body:
            body[cap] = request.max_tokens
        if stream:
            body["stream"] = True
        return body

    def read(self, body: dict[str, Any]) -> Completion:
        status = body.get("status")
        if status == "failed":
            raise FaultError(fault_of(body), self.came(body))
        if status in ("queued", "in_progress"):
            told = f'the response is still "{status}": runner does not wait for background work'
            raise FaultError(Fault(told, status=400))
        if status == "cancelled":
            raise FaultError(Fault("the provider cancelled the response"), self.came(body))
        if not isinstance(body.get("output"), list):
            raise no_answer(body)
        return read_response(body)

    def came(self, body: dict[str, Any]) -> Completion | None:
        return read_response(body) if isinstance(body.get("output"), list) else None

    def is_ended(self, body: dict[str, Any]) -> bool:
        return string(body.get("status")) is not None

    def assembly(self) -> ResponsesAssembly:
        return ResponsesAssembly(read_response)


def read_response(body: dict[str, Any]) -> Completion:
    """Map a `response`, whole or as far as it came."""
    texts = [text for name, text in _said(body) if name == "output_text"]
    refusals = [text for name, text in _said(body) if name == "refusal"]
    said = texts if any(texts) or not refusals else refusals
    return Completion(
        text=whole_text("".join(said)) if said else None,
        finish_reason=_finish(body, refused=any(refusals)),
        usage=responses_usage(body.get("usage")),
        response_model=string(body.get("model")),
        service_tier=string(body.get("service_tier")),
    )


def _said(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for item in objects(body.get("output")):
        for part in objects(item.get("content")) if item.get("type") == "message" else ():
            text = part.get("refusal" if part.get("type") == "refusal" else "text")
            if isinstance(text, str):
                yield str(part.get("type")), text


def _finish(body: dict[str, Any], *, refused: bool) -> FinishReason:
    if body.get("status") == "incomplete":
        reason = string(mapping(body.get("incomplete_details")).get("reason"))
        return _CUTS.get(reason or "", "other")
    if body.get("status") != "completed":
        return "other"
    if refused:
        return "content_filter"
    called = any(item.get("type") in _TOOL_CALLS for item in objects(body.get("output")))
    return "tool_calls" if called else "stop"
