"""Lines of a results file that are no records: how many, where, and what becomes of them.

They are found while a file is read; where they stand is counted only if there are any.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from runner.results.lines import BLOCK_BYTES
from runner.results.paths import paths_for
from runner.words import count, printable

_NAMED = 3


class Damage:
    """Tells, through `tell`, of each file's corrupt lines; once, however often it is read."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._told: set[Path] = set()

    def note(self, path: Path, fd: int, places: Sequence[tuple[int, int]]) -> None:
        """Take the places (offset, length) of an open file's corrupt lines, in order."""
        if not places or path in self._told:
            return
        self._told.add(path)
        offsets = [offset for offset, _ in places[:_NAMED]]
        self._tell(_words(path, len(places), list(_line_numbers(fd, offsets))))


def _words(path: Path, number: int, lines: Sequence[int]) -> str:
    name, torn = printable(str(path)), printable(paths_for(path).torn.name)
    if number == 1:
        said = f"{name}:{lines[0]} is no record and is left out."
        return f"{said}\nThe next  runner batch  keeps it in {torn} and asks its job again."
    where = ", ".join([f"{name}:{lines[0]}", *(f":{line}" for line in lines[1:])])
    more = ", ..." if number > len(lines) else ""
    said = f"{count(number)} lines are no records and are left out: {where}{more}"
    return f"{said}\nThe next  runner batch  keeps them in {torn} and asks their jobs again."


def _line_numbers(fd: int, offsets: Sequence[int]) -> Iterator[int]:
    number, position = 1, 0
    for offset in offsets:
        while block := os.pread(fd, min(BLOCK_BYTES, offset - position), position):
            number += block.count(b"\n")
            position += len(block)
        yield number
