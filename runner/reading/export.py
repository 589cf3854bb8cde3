"""A results file in other shapes: which there are, and the lines of each."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from runner.errors import UsageError
from runner.reading.anthropic_batch import anthropic_line
from runner.reading.bodies import check_bodies
from runner.reading.openai_batch import openai_line
from runner.reading.records import records
from runner.reading.tables import csv_lines, jsonl_lines

SHAPES = ("csv", "text", "jsonl", "openai-batch", "anthropic-batch")


class _Text(msgspec.Struct):
    text: str | None = None


_text = msgspec.json.Decoder(_Text)


def exported(paths: Sequence[Path], shape: str, *, separator: bytes = b"\n") -> Iterator[bytes]:
    """Give the records in one of `SHAPES`, in input order, as pieces to be written one by one.

    Memory stays flat. Several files are joined on id, which only tables can hold. `separator` ends
    each answer of `text`; records without a text are left out there. Raises UsageError before the
    first piece where a file does not fit.
    """
    if shape == "csv":
        return csv_lines(paths)
    if shape == "jsonl":
        return jsonl_lines(paths)
    if len(paths) > 1:
        raise UsageError(
            f"{shape} holds one answer for each id, so it takes one results file.\n"
            "To compare several use --as csv or --as jsonl."
        )
    if shape == "text":
        return _texts(paths[0], separator)
    check_bodies(paths[0], shape)
    convert = openai_line if shape == "openai-batch" else anthropic_line
    return (convert(line) for line in records(paths[0]))


def _texts(path: Path, separator: bytes) -> Iterator[bytes]:
    for line in records(path):
        text = _text.decode(line).text
        if text is not None:
            yield text.encode() + separator
