"""The ids of a file that can be read twice, each found again in the file where it is in doubt."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain

from msgspec import UNSET

from runner.input.digest import bytes_id, canonical
from runner.input.file_lines import FileLines
from runner.input.ids import KnownIds
from runner.input.intake import id_of, raw_id
from runner.input.line_table import LineTable
from runner.input.lines import Line
from runner.input.lineset import LineSet
from runner.input.parser import JobParser
from runner.input.problems import BadLineError
from runner.input.stretch import Stretch
from runner.input.words import quoted

_BEARERS_KEPT = 4096
_LIKE_CONTENT = re.compile(r"[0-9a-f]{16}(-[0-9]+)?")


class FileIds:
    """Gives each line of a file its final id and holds 10 to 16 bytes a line.

    As long as no given id looks like one made of content, lines without an id are told apart by
    their content itself, and its id, a slow hash, is not computed. Neither can the name of an
    invalid line be such an id: bytes that are the canonical form of a job are a job.
    """

    def __init__(self, file: FileLines, parser: JobParser) -> None:
        self.suffixes: dict[int, int] = {}
        """Of each job that repeats an earlier one: line to the number behind its id."""
        self._file = file
        self._parser = parser
        self._table = LineTable()
        self._numbers: dict[str, int] = {}
        self._bearers: dict[str, int] = {}
        """Names that were looked for of late, and the lines that bear them."""
        self._by_bytes = LineSet()
        """Invalid lines that do not go by an id of their own."""
        self._invalid_suffixes: dict[int, int] = {}
        self._exact = False
        """Whether lines without an id are noted under the id that their content makes."""
        self._by_content = False
        """Whether there is a line that was noted under its content alone."""

    def enter(self, stretch: Stretch, expected: int) -> Iterator[int]:
        """Take in all jobs that certainly repeat no earlier line.

        Gives the place of each that may, before those behind it are taken in; such a line has to
        be claimed. `expected`: how many lines the whole file may have.
        """
        keys = self._keys(stretch)
        # Those that may repeat a line are noted under the names that they come to, too.
        self._table.reserve(2 * len(keys), expected)
        return self._table.enter(keys, stretch.first)

    def make_room(self, more: int, expected: int) -> None:
        """Make room for so many more jobs at once, that come one by one; see `enter`."""
        self._table.reserve(more, expected)

    def claim(self, job_id: str, line: int, given: bool) -> str:
        if given:
            self._expect((job_id,))
        first = self._bearer(job_id, hash(job_id))
        if first is None:
            self._table.put(hash(job_id), line)
            return job_id
        if given:
            raise BadLineError(f"id {quoted(job_id)} was used on line {first:,}")
        number = self.suffixes[line] = self._number(job_id)
        self._table.put(hash(f"{job_id}-{number}"), line)
        return f"{job_id}-{number}"

    def claim_content(self, content: bytes, line: int) -> str:
        job_id = bytes_id(content)
        if self._exact:
            return self.claim(job_id, line, given=False)
        self._by_content = True
        if self._bearer(job_id, hash(content)) is None:
            self._table.put(hash(content), line)
            return job_id
        # No id that was given can be the same, nor will one that is noted later.
        number = self.suffixes[line] = self._numbers[job_id] = self._numbers.get(job_id, 1) + 1
        return f"{job_id}-{number}"

    def name_invalid(self, own: str | None, fallback: str, line: int, /) -> str:
        if own is not None:
            self._expect((own,))
            if not self._used(own):
                self._table.put(hash(own), line)
                return own
        self._by_bytes.add(line)
        name = fallback
        if self._used(fallback):
            number = self._invalid_suffixes[line] = self._number(fallback)
            name = f"{fallback}-{number}"
        self._table.put(hash(name), line)
        return name

    def be_exact(self) -> None:
        """Note lines without an id under that of their content from now on, also earlier ones."""
        if self._by_content and not self._exact:
            self._note_again()
        self._exact = True

    def _keys(self, stretch: Stretch) -> list[int]:
        given = [one for one in stretch.ids if isinstance(one, str)]
        if given:
            self._expect(given)
        if len(given) == len(stretch):
            return list(map(hash, given))
        if self._exact:
            return [hash(stretch.id(at)) for at in range(len(stretch))]
        self._by_content = True
        contents = map(canonical, stretch.jobs)
        if not given:
            return list(map(hash, contents))
        names = zip(stretch.ids, contents, strict=True)
        return [hash(content if one is UNSET else one) for one, content in names]

    def _expect(self, ids: Sequence[str]) -> None:
        """Take care that given ids are compared with those that content makes."""
        if not self._by_content:
            self._exact = True  # as cheap as to look at every id
        elif not self._exact and any(map(_LIKE_CONTENT.fullmatch, ids)):
            self.be_exact()

    def _note_again(self) -> None:
        noted = LineSet()
        for line in chain(self._table.all_lines(), self.suffixes):
            noted.add(line)
        self._table = LineTable()
        for line, raw in self._file.numbered():
            if line in noted:
                self._table.put(hash(self._name_of(line, raw)), line)

    def _number(self, name: str) -> int:
        number = self._numbers.get(name, 1) + 1
        while self._used(f"{name}-{number}"):
            number += 1
        self._numbers[name] = number
        return number

    def _used(self, name: str) -> bool:
        return self._bearer(name, hash(name)) is not None

    def _bearer(self, name: str, key: int) -> int | None:
        """Find the line that bears a name, noted under this key."""
        if name in self._bearers:
            return self._bearers[name]
        for line in self._table.lines(key):
            if self._name_of(line, self._file.line(line)) == name:
                if len(self._bearers) >= _BEARERS_KEPT:
                    self._bearers.clear()
                self._bearers[name] = line
                return line
        return None

    def _name_of(self, line: int, raw: Line) -> str | None:
        if line not in self._by_bytes:
            return id_of(self._parser, raw, line, KnownIds(self.suffixes))
        name, number = raw_id(raw), self._invalid_suffixes.get(line)
        return name if number is None else f"{name}-{number}"
