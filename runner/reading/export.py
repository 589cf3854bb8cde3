"""A results file in other shapes: which there are, and the lines of each."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from runner.errors import UsageError
from runner.reading.anthropic_batch import anthropic_line
from runner.reading.bodies import check_bodies
from runner.reading.damage import Damage
from runner.reading.openai_batch import openai_line
from runner.reading.records import records
from runner.reading.tables import csv_lines, jsonl_lines

SHAPES = ("csv", "text", "jsonl", "openai-batch", "anthropic-batch")


class _Text(msgspec.Struct):
    text: str | None = None


_text = msgspec.json.Decoder(_Text)


def exported(
    paths: Sequence[Path],
    shape: str,
    *,
    separator: bytes = b"\n",
    damage: Damage | None = None,
) -> Iterator[bytes]:
    """Give the records in one of `SHAPES`, in input order, as pieces to be written one by one.

    Memory stays flat. Several files are joined on id, which only tables can hold. `separator` ends
    each answer of `text`; records without a text are left out there; lines that are no records
    everywhere, and told to `damage`. Raises UsageError before the first piece where a file does not
    fit.
    """
    if shape == "csv":
        return csv_lines(paths, damage)
    if shape == "jsonl":
        return jsonl_lines(paths, damage)
    if len(paths) > 1:
        raise UsageError(
            f"{shape} holds one answer for each id, so it takes one results file.\n"
            "To compare several use --as csv or --as jsonl."
        )
    if shape == "text":
        return _texts(paths[0], separator, damage)
    check_bodies(paths[0], shape, damage)
    convert = openai_line if shape == "openai-batch" else anthropic_line
    return (convert(line) for line in records(paths[0], damage))


def _texts(path: Path, separator: bytes, damage: Damage | None) -> Iterator[bytes]:
    for line in records(path, damage):
        text = _text.decode(line).text
        if text is not None:
            yield text.encode() + separator
