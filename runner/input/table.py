"""A table in CSV as lines of JSON, one a record, so that whatever reads jobs reads it as well.

A record that goes on over several lines is followed by blank ones, and blank ones stand for the
header: numbers of lines stay those of the file. The csv module knows where quotes begin and end.
"""

import csv
import hashlib
import io
import sys
from collections.abc import Iterable, Sequence
from itertools import islice

import msgspec

from runner.input.header import Header, blank_row, header_of
from runner.input.lines import Cut, Cutter, Line, LineSplitter, Unread
from runner.words import plural

_AT_EACH_BLOCK = 1 << 20
"""Bytes. A longer record that is not complete is read again only once it has doubled."""
_UNFINISHED = "unexpected end of data"
_LEFT_OPEN = "the quote that opens a cell here is never closed"
_WORDS = {
    "new-line": "a carriage return stands in the middle of the line",
    "expected after": 'a cell goes on behind its closing quote; inside a cell write it twice: ""',
}
_NOT_UTF8 = 'not UTF-8{}; save it as "CSV UTF-8", or convert it:  iconv -f WINDOWS-1252 -t UTF-8'

csv.field_size_limit(sys.maxsize)  # lines have a bound of their own

_encode = msgspec.json.Encoder().encode


class TableCutter(Cutter):
    """Makes rows of blocks. Holds one unfinished record, within the bound of a line."""

    def __init__(
        self,
        label: str,
        separator: str,
        max_line_bytes: int,
        *,
        header: Header | None = None,
        before: int = 0,
    ) -> None:
        """Begin at the header, or behind so many lines under one that was read."""
        self.header = header
        self._label = label
        self._separator = separator
        self._bound = max_line_bytes
        self._splitter = LineSplitter(max_line_bytes, before=before)
        self._number = before
        self._begin: int | None = None
        """Where the lines held begin; None before the first line."""
        self._held: list[Line] = []
        """Lines that belong to no record yet."""
        self._open = False
        """Whether a cell was open where the lines held ended."""
        self._size = self._tried = 0
        """Bytes of the lines held, and what they were when they were last read in vain."""

    def cut(self, block: bytes) -> Cut:
        """Take the next block; give the records it completes.

        Raises UsageError where the header is at fault.
        """
        return self._taken(self._splitter.cut(block), ended=False)

    def rest(self) -> Cut:
        """Give the records that are left. Raises UsageError where the header is at fault."""
        return self._taken(self._splitter.rest(), ended=True)

    def _taken(self, cut: Cut, *, ended: bool) -> Cut:
        self._held += cut.lines
        self._size += _size(cut.lines)
        if self._begin is None and cut.lines:
            self._begin = cut.begin
        first, begin = self._number + 1, self._begin or 0
        if not self._held or not (ended or self._may_complete(cut.lines)):
            return Cut(first, [], begin, begin)
        lines = self._records(ended=ended)
        self._number += len(lines)
        del self._held[: len(lines)]
        self._size = self._tried = _size(self._held)
        self._begin = cut.end - self._size
        return Cut(first, lines, begin, self._begin)

    def _may_complete(self, new: list[Line]) -> bool:
        """Whether reading the lines held again may be worth it."""
        if not self._open or self._size > self._bound:
            return True
        closes = any(isinstance(line, Unread) or b'"' in line for line in new)
        return closes and (self._size < _AT_EACH_BLOCK or self._size > 2 * self._tried)

    def _records(self, *, ended: bool) -> list[Line]:
        """Read records off the lines held, as far as they are complete."""
        lines: list[Line] = []
        if self.header is None:
            ended_here = ended or self._too_long(self._held)
            found = header_of(self._held, self._separator, self._label, ended=ended_here)
            if found is None:
                return lines
            self.header = found
            lines += [b""] * found.lines
        self._open = False
        while len(lines) < len(self._held) and not self._open:
            start = len(lines)
            if isinstance(unread := self._held[start], Unread):
                lines.append(unread)
            else:
                lines += self._run(start, self.header, ended=ended)
        return lines

    def _run(self, start: int, header: Header, *, ended: bool) -> list[Line]:
        """Read records from a line on, up to the first that is bad, or not complete."""
        raws = list(_until_unread(islice(self._held, start, None)))
        cut_off = ended or start + len(raws) < len(self._held)
        text = _text(raws)
        lines: list[Line] = []
        reader = csv.reader(
            io.StringIO(text, newline="\n"), delimiter=header.separator, strict=True
        )
        columns, count = header.columns, len(header.columns)
        odd = count == 1 or "\0" in text
        try:
            for row in reader:
                at, end = len(lines), reader.line_num
                if len(row) == count and not odd and any(row):
                    lines.append(_encode(dict(zip(columns, row, strict=True))))
                else:
                    lines.append(self._odd_row(row, header, raws[at:end]))
                if end > at + 1:
                    lines += [b""] * (end - at - 1)
        except UnicodeEncodeError:
            lines.append(_refused(raws[len(lines)], _not_utf8(raws[len(lines)])))
        except csv.Error as error:
            if _UNFINISHED in str(error) and not (cut_off or self._too_long(raws[len(lines) :])):
                self._open = True
            else:
                lines.append(_refused(raws[len(lines)], _words(str(error))))
        return lines

    def _odd_row(self, row: list[str], header: Header, raws: list[bytes]) -> Line:
        if blank_row(row):
            return b""
        raw = b"\n".join(raws)
        if len(row) != len(header.columns):
            return _refused(raw, _miscounted(len(row), header))
        if "\0" in "".join(row):
            return _refused(raw, "a NUL character stands in a cell")
        return _encode(dict(zip(header.columns, row, strict=True)))

    def _too_long(self, lines: Sequence[Line]) -> bool:
        return _size(lines) > self._bound


def _size(lines: Sequence[Line]) -> int:
    """Bytes, line breaks included."""
    return sum(map(len, lines)) + len(lines)


def _until_unread(lines: Iterable[Line]) -> Iterable[bytes]:
    for line in lines:
        if isinstance(line, Unread):
            return
        yield line


def _text(raws: list[bytes]) -> str:
    raw = b"\n".join(raws) + b"\n"
    try:
        return raw.decode()
    except UnicodeDecodeError:
        # Where it is not UTF-8 is told of its record alone.
        return raw.decode(errors="surrogateescape")


def _refused(raw: bytes, reason: str) -> Unread:
    return Unread(len(raw), hashlib.sha256(raw).hexdigest(), reason)


def _words(error: str) -> str:
    return next((words for key, words in _WORDS.items() if key in error), _LEFT_OPEN)


def _not_utf8(raw: bytes) -> str:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return _NOT_UTF8.format(f" at byte {error.start + 1}")
    return _NOT_UTF8.format("")


def _miscounted(cells: int, header: Header) -> str:
    count = len(header.columns)
    hint = "; a cell that holds a separator stands in double quotes" if cells > count else ""
    return f"has {plural(cells, 'cell')}, and the header names {plural(count, 'column')}{hint}"
