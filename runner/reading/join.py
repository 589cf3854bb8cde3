"""Several results files side by side, matched by id, in the order of the first."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from runner.reading.rows import Row


class Joined(NamedTuple):
    """One job and what each file has of it; None where a file has no record."""

    id: str
    rows: list[Row | None]

    @property
    def metadata(self) -> bytes:
        """The job's metadata, from the first file that has any."""
        given = (row.metadata for row in self.rows if row and row.metadata != b"null")
        return next(given, b"null")


class _Follower:
    """Another file, read just so far as the first asks; what comes too early waits in memory.

    Files of the same jobs stand in the same order, so that next to nothing waits.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = iter(rows)
        self._early: dict[str, Row] = {}

    def take(self, name: str) -> Row | None:
        if name in self._early:
            return self._early.pop(name)
        for row in self._rows:
            if row.id == name:
                return row
            self._early[row.id] = row
        return None

    def rest(self) -> Iterator[Row]:
        yield from self._early.values()
        yield from self._rows


def join(files: Sequence[Iterable[Row]]) -> Iterator[Joined]:
    """Match the rows of all files by id; jobs that the first lacks come last."""
    first, followers = files[0], [_Follower(rows) for rows in files[1:]]
    for row in first:
        yield Joined(row.id, [row, *(follower.take(row.id) for follower in followers)])
    for index, follower in enumerate(followers):
        behind = followers[index + 1 :]
        for row in follower.rest():
            before: list[Row | None] = [None] * (index + 1)
            yield Joined(row.id, [*before, row, *(other.take(row.id) for other in behind)])


def stems(paths: Sequence[Path]) -> list[str]:
    """Name each file for its columns: its name without endings, numbered where two are alike."""
    names: list[str] = []
    for path in paths:
        stem = path.name.removesuffix(".jsonl").removesuffix(".results") or path.name
        name, number = stem, 1
        while name in names:
            number += 1
            name = f"{stem}-{number}"
        names.append(name)
    return names
