"""The two providers' own batch lines: OpenAI Batch and Anthropic Message Batches."""

from difflib import get_close_matches
from typing import Any

from runner.input.draft import (
    Draft,
    check_messages,
    chosen_model,
    holds_system,
    required_object,
)
from runner.input.ids import id_text
from runner.input.problems import BadLineError
from runner.input.words import quoted
from runner.models import Api

OPENAI_KEYS = frozenset({"custom_id", "method", "url", "body"})
ANTHROPIC_KEYS = frozenset({"custom_id", "params"})

_APIS: dict[str, Api] = {"/v1/chat/completions": "openai", "/v1/responses": "openai-responses"}


def read_openai_batch(line: dict[str, Any]) -> Draft:
    """Take a line of OpenAI's Batch API apart. Raises BadLineError."""
    _check_keys(line, OPENAI_KEYS)
    job_id = _custom_id(line)
    if line.get("method", "POST") != "POST":
        raise BadLineError('"method" must be "POST"')
    api = _APIS.get(url) if isinstance(url := line.get("url"), str) else None
    if api is None:
        raise BadLineError(f'"url" must be one of {" and ".join(map(quoted, _APIS))}')
    body = required_object(line, "body")
    draft = _draft(job_id, body, api)
    if api == "openai-responses":
        draft.brings_system = "instructions" in body or holds_system(body.get("input"))
    else:
        draft.messages = check_messages(body.get("messages"))
        draft.brings_system = holds_system(draft.messages)
        del draft.params["messages"]
    return draft


def read_anthropic_batch(line: dict[str, Any]) -> Draft:
    """Take a line of Anthropic's Message Batches apart. Raises BadLineError."""
    _check_keys(line, ANTHROPIC_KEYS)
    params = required_object(line, "params")
    draft = _draft(_custom_id(line), params, "anthropic")
    draft.messages = check_messages(params.get("messages"))
    del draft.params["messages"]
    draft.brings_system = "system" in params or holds_system(draft.messages)
    system = draft.params.pop("system", None)
    if system is not None and not isinstance(system, str | list):
        raise BadLineError('"system" must be a string or a list of content blocks')
    draft.system = system
    return draft


def _draft(job_id: str, body: dict[str, Any], api: Api) -> Draft:
    params = dict(body)
    model = chosen_model(body)
    params.pop("model", None)
    return Draft(id=job_id, messages=None, params=params, model=model, api=api)


def _custom_id(line: dict[str, Any]) -> str:
    if "custom_id" not in line:
        raise BadLineError('"custom_id" is missing')
    return id_text(line["custom_id"], "custom_id")


def _check_keys(line: dict[str, Any], known: frozenset[str]) -> None:
    for key in line.keys() - known:
        near = get_close_matches(key, sorted(known), n=1)
        hint = f" Did you mean {quoted(near[0])}?" if near else ""
        raise BadLineError(f"unknown key {quoted(key)} in a line of a provider's batch.{hint}")
