"""One request in words that do not depend on the API it came by."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

Api = Literal["chat", "responses", "messages"]

_BYTES_A_TOKEN = 4
_UNHASHED = ("stream", "stream_options")
_ANY_OBJECT = {"type": "object", "properties": {"answer": {"type": "string"}}}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A function the caller offers."""

    name: str
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked. `prompt` is all text in order, so the three APIs give the same answer."""

    api: Api
    body: dict[str, Any]
    body_hash: str
    model: str
    prompt: str
    input_tokens: int
    cap: int | None
    """Most output tokens the caller wants; None where it set no cap."""
    choices: int
    stream: bool
    include_usage: bool
    obfuscate: bool
    stops: tuple[str, ...]
    tools: tuple[ToolSpec, ...]
    forced_tool: ToolSpec | None
    schema: dict[str, Any] | None
    """What the answer's JSON has to fit; None where it may be anything."""


def hash_body(body: dict[str, Any]) -> str:
    """SHA-256 in hex of the body's canonical JSON, less what only concerns streaming.

    Canonical: keys sorted, no white space, UTF-8.
    """
    asked = {key: value for key, value in body.items() if key not in _UNHASHED}
    return hashlib.sha256(msgspec.json.encode(asked, order="sorted")).hexdigest()


def read_ask(api: Api, body: dict[str, Any]) -> Ask:
    """Gather what the simulator needs from a body that has been checked."""
    prompt = "\n".join(_prompt_texts(api, body))
    tools = tuple(_tools(api, body.get("tools") or []))
    options = body.get("stream_options") or {}
    return Ask(
        api=api,
        body=body,
        body_hash=hash_body(body),
        model=body["model"],
        prompt=prompt,
        input_tokens=max(1, -(-len(prompt.encode()) // _BYTES_A_TOKEN)),
        cap=_cap(api, body),
        choices=(body.get("n") or 1) if api == "chat" else 1,
        stream=bool(body.get("stream")),
        include_usage=bool(options.get("include_usage")),
        obfuscate=options.get("include_obfuscation") is not False,
        stops=_stops(body.get("stop_sequences" if api == "messages" else "stop")),
        tools=tools,
        forced_tool=_forced_tool(body.get("tool_choice"), tools),
        schema=_schema(form_of(api, body)),
    )


def form_of(api: Api, body: dict[str, Any]) -> Any:
    """Give the form in which a body wants its answer; None where it does not say."""
    if api == "chat":
        return body.get("response_format")
    return (body.get("text" if api == "responses" else "output_config") or {}).get("format")


def _schema(form: dict[str, Any] | None) -> dict[str, Any] | None:
    if form is None or form["type"] == "text":
        return None
    if form["type"] == "json_object":
        return _ANY_OBJECT
    schema: dict[str, Any] | None = form.get("json_schema", form).get("schema")
    return _ANY_OBJECT if schema is None else schema


def _prompt_texts(api: Api, body: dict[str, Any]) -> Iterator[str]:
    if api == "chat":
        yield from _message_texts(body["messages"])
    elif api == "responses":
        yield from _content_texts(body.get("instructions"))
        asked = body.get("input")
        yield from [asked] if isinstance(asked, str) else _message_texts(asked or [])
    else:
        yield from _content_texts(body.get("system"))
        yield from _message_texts(body["messages"])


def _message_texts(messages: list[dict[str, Any]]) -> Iterator[str]:
    for message in messages:
        yield from _content_texts(message.get("content"))
        yield from _content_texts(message.get("output"))


def _content_texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            yield from _part_texts(part)


def _part_texts(part: dict[str, Any]) -> Iterator[str]:
    text = part.get("text")
    if isinstance(text, str):
        yield text
    elif part.get("type") == "tool_result":
        yield from _content_texts(part.get("content"))
    else:
        # The APIs' names for the same thing differ: image_url, input_image, image.
        kind = str(part.get("type")).removeprefix("input_").removesuffix("_url")
        yield f"[{kind}]"


def _cap(api: Api, body: dict[str, Any]) -> int | None:
    names = {
        "chat": ("max_completion_tokens", "max_tokens"),
        "responses": ("max_output_tokens",),
        "messages": ("max_tokens",),
    }[api]
    return next((body[name] for name in names if body.get(name) is not None), None)


def _stops(stop: Any) -> tuple[str, ...]:
    if isinstance(stop, str):
        return (stop,)
    return tuple(stop or ())


def _tools(api: Api, tools: list[dict[str, Any]]) -> Iterator[ToolSpec]:
    for tool in tools:
        if api == "chat":
            function = tool.get("function")
            schema = function.get("parameters") if function else None
        else:
            function = tool
            schema = tool.get("input_schema" if api == "messages" else "parameters")
        if function and "name" in function and tool.get("type") in {"function", "custom", None}:
            yield ToolSpec(name=function["name"], schema=schema or {})


def _forced_tool(choice: Any, tools: tuple[ToolSpec, ...]) -> ToolSpec | None:
    if not tools:
        return None
    if isinstance(choice, str):
        return tools[0] if choice == "required" else None
    if not isinstance(choice, dict):
        return None
    if choice.get("type") == "any":
        return tools[0]
    name = choice.get("name") or (choice.get("function") or {}).get("name")
    return next((tool for tool in tools if tool.name == name), None)
