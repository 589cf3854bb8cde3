"""The parameters each API knows, with the types it takes. Data only.

Written down from the parameter types of openai 3.54 and anthropic 2.12.
"""

from typing import Any, NamedTuple


class Parameter(NamedTuple):
    """What a parameter may be. `types` are JSON's names, with `integer` apart from `number`."""

    types: tuple[str, ...]
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    nullable: bool = True


def _number(low: float | None = None, high: float | None = None) -> Parameter:
    return Parameter(("number",), low, high)


def _integer(low: float | None = None, high: float | None = None) -> Parameter:
    return Parameter(("integer",), low, high)


def _one_of(*choices: str) -> Parameter:
    return Parameter(("string",), choices=choices)


_ANY = Parameter(("string", "number", "boolean", "object", "array"))
_STRING = Parameter(("string",))
_BOOLEAN = Parameter(("boolean",))
_OBJECT = Parameter(("object",))
_ARRAY = Parameter(("array",))
_TIER = ("auto", "default", "flex", "scale", "priority", "fast")

CHAT: dict[str, Parameter] = {
    "model": Parameter(("string",), nullable=False),
    "messages": Parameter(("array",), nullable=False),
    "audio": _OBJECT,
    "frequency_penalty": _number(-2, 2),
    "function_call": Parameter(("string", "object")),
    "functions": _ARRAY,
    "logit_bias": _OBJECT,
    "logprobs": _BOOLEAN,
    "max_completion_tokens": _integer(1),
    "max_tokens": _integer(1),
    "metadata": _OBJECT,
    "modalities": _ARRAY,
    "moderation": _OBJECT,
    "n": _integer(1, 128),
    "parallel_tool_calls": _BOOLEAN,
    "prediction": _OBJECT,
    "presence_penalty": _number(-2, 2),
    "prompt_cache_key": _STRING,
    "prompt_cache_options": _OBJECT,
    "prompt_cache_retention": _one_of("in_memory", "24h"),
    "reasoning_effort": _one_of("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    "response_format": _OBJECT,
    "safety_identifier": _STRING,
    "seed": _integer(),
    "service_tier": _one_of(*_TIER),
    "stop": Parameter(("string", "array")),
    "store": _BOOLEAN,
    "stream": _BOOLEAN,
    "stream_options": _OBJECT,
    "temperature": _number(0, 2),
    "tool_choice": Parameter(("string", "object")),
    "tools": _ARRAY,
    "top_logprobs": _integer(0, 20),
    "top_p": _number(0, 1),
    "user": _STRING,
    "verbosity": _one_of("low", "medium", "high"),
    "web_search_options": _OBJECT,
}

RESPONSES: dict[str, Parameter] = {
    "model": Parameter(("string",), nullable=False),
    "input": Parameter(("string", "array"), nullable=False),
    "access_programs": _OBJECT,
    "background": _BOOLEAN,
    "background_options": _OBJECT,
    "context_management": _ARRAY,
    "conversation": Parameter(("string", "object")),
    "image": _OBJECT,
    "include": _ARRAY,
    "instructions": _STRING,
    "max_output_tokens": _integer(1),
    "max_tool_calls": _integer(1),
    "metadata": _OBJECT,
    "moderation": _OBJECT,
    "parallel_tool_calls": _BOOLEAN,
    "previous_response_id": _STRING,
    "prompt": _OBJECT,
    "prompt_cache_key": _STRING,
    "prompt_cache_options": _OBJECT,
    "prompt_cache_retention": _one_of("in_memory", "24h"),
    "reasoning": _OBJECT,
    "safety_identifier": _STRING,
    "service_tier": _one_of(*_TIER, "ultrafast"),
    "store": _BOOLEAN,
    "stream": _BOOLEAN,
    "stream_options": _OBJECT,
    "temperature": _number(0, 2),
    "text": _OBJECT,
    "tool_choice": Parameter(("string", "object")),
    "tools": _ARRAY,
    "top_logprobs": _integer(0, 20),
    "top_p": _number(0, 1),
    "truncation": _one_of("auto", "disabled"),
    "user": _STRING,
}

MESSAGES: dict[str, Parameter] = {
    "model": Parameter(("string",), nullable=False),
    "max_tokens": Parameter(("integer",), 0, nullable=False),
    "messages": Parameter(("array",), nullable=False),
    "cache_control": _OBJECT,
    "container": Parameter(("string", "object")),
    "diagnostics": _OBJECT,
    "inference_geo": _STRING,
    "metadata": Parameter(("object",), nullable=False),
    "output_config": _OBJECT,
    "service_tier": Parameter(("string",), choices=("auto", "standard_only"), nullable=False),
    "speed": _one_of("standard", "fast"),
    "stop_sequences": Parameter(("array",), nullable=False),
    "stream": Parameter(("boolean",), nullable=False),
    "system": Parameter(("string", "array"), nullable=False),
    "thinking": Parameter(("object",), nullable=False),
    "tool_choice": Parameter(("object",), nullable=False),
    "tools": Parameter(("array",), nullable=False),
    "user_profile_id": _STRING,
    "workspace_id": _STRING,
}

# Taken out of Messages with the version of this date; known before it.
SAMPLING_REMOVED = "2026-10-21"
SAMPLING: dict[str, Parameter] = {
    "temperature": _number(0, 1),
    "top_p": _number(0, 1),
    "top_k": _integer(0),
}

STREAM_OPTIONS = {
    "chat": ("include_usage", "include_obfuscation"),
    "responses": ("include_obfuscation",),
}

_TEXT_PARTS = ("text",)
CHAT_PARTS: dict[str, tuple[str, ...]] = {
    "developer": _TEXT_PARTS,
    "system": _TEXT_PARTS,
    "user": ("text", "image_url", "input_audio", "file"),
    "assistant": ("text", "refusal"),
    "tool": _TEXT_PARTS,
    "function": _TEXT_PARTS,
}
CHAT_MESSAGE_KEYS = (
    "role",
    "content",
    "name",
    "refusal",
    "audio",
    "tool_calls",
    "function_call",
    "tool_call_id",
)

_INPUT_PARTS = ("input_text", "input_image", "input_file", "input_audio")
RESPONSES_PARTS: dict[str, tuple[str, ...]] = {
    "user": _INPUT_PARTS,
    "system": _INPUT_PARTS,
    "developer": _INPUT_PARTS,
    "assistant": ("output_text", "refusal"),
}
RESPONSES_ITEMS = (
    "message",
    "additional_tools",
    "apply_patch_call",
    "apply_patch_call_output",
    "code_interpreter_call",
    "compaction",
    "compaction_trigger",
    "computer_call",
    "computer_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
    "file_search_call",
    "function_call",
    "function_call_output",
    "image_generation_call",
    "item_reference",
    "local_shell_call",
    "local_shell_call_output",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "mcp_list_tools",
    "program",
    "program_output",
    "reasoning",
    "shell_call",
    "shell_call_output",
    "tool_search_call",
    "tool_search_output",
    "web_search_call",
)

MESSAGES_ROLES = ("user", "assistant", "system")
MESSAGES_BLOCKS = (
    "text",
    "image",
    "document",
    "search_result",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "tool_result",
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "mcp_tool_use",
    "mcp_tool_result",
    "container_upload",
    "compaction",
    "tool_reference",
)
MESSAGES_LARGEST_BODY = 32 * 1024 * 1024


def json_type(value: Any) -> str:
    """Name a decoded value's JSON type; whole numbers are `integer`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return {str: "string", int: "integer", float: "number", dict: "object"}.get(
        type(value), "array"
    )


def fits(value: Any, parameter: Parameter) -> bool:
    """Tell whether a value is of a type that the parameter takes."""
    kind = json_type(value)
    if kind == "null":
        return parameter.nullable
    return kind in parameter.types or (kind == "integer" and "number" in parameter.types)
