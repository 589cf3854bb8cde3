"""A schema for the answer, in the form in which each API takes it. Pure."""

from typing import Any

from runner.models import Schema
from runner.providers.fields import mapping


def chat_format(schema: Schema) -> dict[str, Any]:
    """Give Chat Completions' `response_format`."""
    return {"type": "json_schema", "json_schema": _named(schema)}


def responses_text(schema: Schema, given: object) -> dict[str, Any]:
    """Give Responses' `text`, with what a job sets there beside the format."""
    return {**mapping(given), "format": {"type": "json_schema", **_named(schema)}}


def messages_config(schema: Schema, given: object) -> dict[str, Any]:
    """Give Messages' `output_config`, with what a job sets there; it takes no name."""
    return {**mapping(given), "format": {"type": "json_schema", "schema": schema.document}}


def _named(schema: Schema) -> dict[str, Any]:
    return {"name": schema.name, "schema": schema.document, "strict": schema.strict}
