"""Rows as CSV or JSON lines. Knows where columns stand, not where the bytes go."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from runner.reading.damage import Damage
from runner.reading.join import Joined, join, stems
from runner.reading.records import records
from runner.reading.rows import COLUMNS, JsonColumns, Row, row_of


def csv_lines(paths: Sequence[Path], damage: Damage | None = None) -> Iterator[bytes]:
    r"""Give a header and one row a job, UTF-8, ended by `\n`.

    Values stand as they are, also those that a spreadsheet would take for a formula.
    """
    columns = JsonColumns("metadata")
    parsed = [JsonColumns(name) for name in _parsed_names(paths)]
    for path, own in zip(paths, parsed, strict=True):
        for row in _rows(path, damage):
            columns.add(row.metadata)
            own.add(row.parsed)
    line, last = _Line(), [name for own in parsed for name in own.names()]
    yield line.of(["id", *columns.names(), *_names(paths), *last])
    for joined in _joined(paths, damage):
        fields = [
            value
            for own, row in zip(parsed, joined.rows, strict=True)
            for value in own.values(b"null" if row is None else row.parsed)
        ]
        given = columns.values(joined.metadata)
        yield line.of([joined.id, *given, *_values(joined), *fields])


def jsonl_lines(paths: Sequence[Path], damage: Damage | None = None) -> Iterator[bytes]:
    """Give one object a job with the columns as its keys and the metadata as it was given.

    Where an answer's JSON fits a schema, it is there as well.
    """
    names, parsed = _names(paths), _parsed_names(paths)
    for joined in _joined(paths, damage):
        row: dict[str, Any] = {"id": joined.id, **dict(zip(names, _values(joined), strict=True))}
        for name, one in zip(parsed, joined.rows, strict=True):
            if one is not None and one.parsed != b"null":
                row[name] = Raw(one.parsed)
        row["metadata"] = Raw(joined.metadata)
        yield msgspec.json.encode(row) + b"\n"


def _rows(path: Path, damage: Damage | None) -> Iterator[Row]:
    return (row_of(line) for line in records(path, damage))


def _joined(paths: Sequence[Path], damage: Damage | None) -> Iterator[Joined]:
    return join([_rows(path, damage) for path in paths])


def _names(paths: Sequence[Path]) -> list[str]:
    """Name the columns; of several files the same columns stand side by side."""
    if len(paths) == 1:
        return list(COLUMNS)
    names = stems(paths)
    return [f"{column}.{name}" for column in COLUMNS for name in names]


def _parsed_names(paths: Sequence[Path]) -> list[str]:
    """Name the answers' JSON of each file."""
    return ["parsed"] if len(paths) == 1 else [f"parsed.{name}" for name in stems(paths)]


def _values(joined: Joined) -> list[Any]:
    absent = (None,) * len(COLUMNS)
    rows = [absent if row is None else row.values for row in joined.rows]
    return [row[column] for column in range(len(COLUMNS)) for row in rows]


class _Line:
    """Writes one row of CSV at a time."""

    def __init__(self) -> None:
        self._buffer = io.StringIO()
        self._writer = csv.writer(self._buffer, lineterminator="\n")

    def of(self, values: Sequence[Any]) -> bytes:
        self._writer.writerow([_cell(value) for value in values])
        text = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return text.encode()


def _cell(value: Any) -> Any:
    # As JSON writes them: a column of truth values must not read `True` here and `true` there.
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else value
