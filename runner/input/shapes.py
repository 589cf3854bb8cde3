"""Which shape a line has. Each shape is read in a file of its own."""

from typing import Any

from runner.input.batch_shapes import read_anthropic_batch, read_openai_batch
from runner.input.draft import Draft
from runner.input.foreign import foreign, is_near_miss
from runner.input.native import read_native


def read_line(line: dict[str, Any], raw: bytes, label: str) -> Draft:
    """Take a line apart by its shape. Raises BadLineError; ForeignError where it is no job."""
    if "prompt" in line or "messages" in line:
        return read_native(line, raw)
    if "custom_id" in line:
        if "body" in line or "url" in line:
            return read_openai_batch(line)
        if "params" in line:
            return read_anthropic_batch(line)
    if is_near_miss(line):
        return read_native(line, raw)
    raise foreign(line, label)
