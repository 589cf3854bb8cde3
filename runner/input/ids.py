"""Ids: what one may be, the numbering of repeats, and who had it first."""

import re
from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import Any, Protocol

from runner.input.digest import bytes_id
from runner.input.problems import BadLineError
from runner.input.words import quoted

LONGEST_ID = 512

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def id_text(value: Any, key: str) -> str:
    """Check a given id, a string or a number, and give it as text. Raises BadLineError."""
    if isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isprintable():
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadLineError(f"{quoted(key)} must be a string or a number")
    text = value if isinstance(value, str) else str(value)
    if not text:
        raise BadLineError(f"{quoted(key)} is empty")
    if len(text) > LONGEST_ID:
        raise BadLineError(f"{quoted(key)} has {len(text):,} characters; at most {LONGEST_ID}")
    if _CONTROL.search(text):
        raise BadLineError(f"{quoted(key)} holds a control character")
    return text


def are_ids(values: Collection[Any]) -> bool:
    """Whether all these can be ids as they are; False also where that is in doubt."""
    try:
        printable = " ".join(values).isprintable()
    except TypeError:
        return False
    return printable and all(values) and max(map(len, values), default=0) <= LONGEST_ID


class Ids(Protocol):
    """Gives each line its final id."""

    def claim(self, job_id: str, line: int, given: bool) -> str:
        """Give the id under which the line is known. Raises BadLineError for a second use."""

    def claim_content(self, content: bytes, line: int) -> str:
        """Give a line without an id the one that its canonical content makes."""

    def name_invalid(self, own: str | None, fallback: str, line: int, /) -> str:
        """Name a line that cannot be asked: by its own id if free, else by the fallback."""


class IdBook:
    """Every id of a stream so far, as 128-bit hashes: about 100 bytes a job however long it is."""

    def __init__(self) -> None:
        self._used: set[bytes] = set()
        self._numbers: dict[bytes, int] = {}
        self.suffixes: dict[int, int] = {}
        """Of each job that repeats an earlier one: line to the number behind its id."""

    def claim(self, job_id: str, line: int, given: bool) -> str:
        key = _key(job_id)
        if key not in self._used:
            self._used.add(key)
            return job_id
        if given:
            raise BadLineError(f"id {quoted(job_id)} was used before")
        name, self.suffixes[line] = self._numbered(job_id)
        return name

    def claim_content(self, content: bytes, line: int) -> str:
        return self.claim(bytes_id(content), line, given=False)

    def name_invalid(self, own: str | None, fallback: str, _line: int = 0, /) -> str:
        for name in (own, fallback):
            if name is not None and (key := _key(name)) not in self._used:
                self._used.add(key)
                return name
        return self._numbered(fallback)[0]

    def _numbered(self, job_id: str) -> tuple[str, int]:
        first = _key(job_id)
        number = self._numbers.get(first, 1) + 1
        while (key := _key(f"{job_id}-{number}")) in self._used:
            number += 1
        self._used.add(key)
        self._numbers[first] = number
        return f"{job_id}-{number}", number


class KnownIds:
    """The ids of an earlier pass over the same lines, in whatever order they are asked for."""

    def __init__(self, suffixes: Mapping[int, int] | None = None) -> None:
        self._suffixes = {} if suffixes is None else suffixes

    def claim(self, job_id: str, line: int, given: bool) -> str:
        number = None if given else self._suffixes.get(line)
        return job_id if number is None else f"{job_id}-{number}"

    def claim_content(self, content: bytes, line: int) -> str:
        return self.claim(bytes_id(content), line, given=False)

    def name_invalid(self, own: str | None, fallback: str, _line: int = 0, /) -> str:
        return own or fallback


def _key(job_id: str) -> bytes:
    return blake2b(job_id.encode(), digest_size=16).digest()
