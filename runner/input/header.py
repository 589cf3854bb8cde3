"""The first record of a table: what its columns are called, and what separates its cells."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass

from runner.errors import UsageError
from runner.input.lines import Line, Unread
from runner.input.words import quoted

_OTHER_SEPARATORS = (";", "\t")
_UTF16 = 'is not UTF-8 but UTF-16; save it as "CSV UTF-8", or use  iconv -f UTF-16 -t UTF-8'
_NOT_TEXT = {
    b"\xff\xfe": _UTF16,
    b"\xfe\xff": _UTF16,
    b"PK\x03\x04": 'is a workbook or an archive; save the table as "CSV UTF-8"',
    b"\x1f\x8b": "is compressed; give it a name that ends in .gz",
}


@dataclass(frozen=True, slots=True)
class Header:
    """The names of the columns, each once."""

    columns: tuple[str, ...]
    separator: str
    lines: int
    """How many lines of the file it takes, blank ones before it among them."""


def header_of(lines: Sequence[Line], separator: str, label: str, *, ended: bool) -> Header | None:
    """Read the header off a table's first lines; None where it is not complete yet.

    Raises UsageError where it names no columns, or names them badly.
    """
    blank = next((at for at, line in enumerate(lines) if not _is_blank(line)), len(lines))
    if blank == len(lines):
        return Header((), separator, len(lines)) if ended else None
    where = f"{label}:{blank + 1}"
    texts = _texts(lines[blank:], label, where)
    try:
        row, taken = _first(texts, separator)
        for other in _OTHER_SEPARATORS:
            # A single column whose name holds it: certainly meant to be several.
            if len(row) == 1 and other in row[0]:
                separator = other
                row, taken = _first(texts, separator)
    except csv.Error as error:
        if "unexpected end" in str(error) and not ended:
            return None
        raise UsageError(f"{where}: the quotes of the header are not in order.") from None
    _check_names(row, where)
    return Header(tuple(row), separator, blank + taken)


def blank_row(row: Sequence[str]) -> bool:
    """Whether a record says nothing; spreadsheets leave many such behind the last row."""
    return row[0].isspace() if len(row) == 1 else not any(row)


def _is_blank(line: Line) -> bool:
    return isinstance(line, bytes) and (not line or line.isspace())


def _texts(lines: Sequence[Line], label: str, where: str) -> list[str]:
    texts: list[str] = []
    for line in lines:
        if isinstance(line, Unread):
            break
        if not texts:
            for magic, words in _NOT_TEXT.items():
                if line.startswith(magic):
                    raise UsageError(f"{label} {words}.")
        try:
            texts.append(line.decode() + "\n")
        except UnicodeDecodeError as error:
            if texts:
                break
            raise UsageError(
                f"{where}: the header is not UTF-8 at byte {error.start + 1}.\n"
                'Save the table as "CSV UTF-8", or convert it:  iconv -f WINDOWS-1252 -t UTF-8'
            ) from None
    if not texts:
        raise UsageError(f"{where}: the header is too long.")
    return texts


def _first(texts: Sequence[str], separator: str) -> tuple[list[str], int]:
    reader = csv.reader(texts, delimiter=separator, strict=True)
    return next(reader), reader.line_num


def _check_names(names: Sequence[str], where: str) -> None:
    seen: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        if not name.strip():
            raise UsageError(
                f"{where}: column {number} has no name; the first row names the columns, each once."
            )
        if "\0" in name:
            raise UsageError(f"{where}: the name of column {number} holds a NUL character.")
        if name in seen:
            raise UsageError(
                f"{where}: columns {seen[name]} and {number} are both named {quoted(name)}."
            )
        seen[name] = number
