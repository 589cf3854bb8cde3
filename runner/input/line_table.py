"""Which lines of a file may bear a name, by a hash of it: 10 to 16 bytes a line."""

import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence

_FIRST_SLOTS = 1 << 15
_TAG = (1 << 32) - 1
_LOW = 0 if sys.byteorder == "little" else 1
"""Which half of a number comes first in memory."""
_AT_ONCE = 100
"""At most so many times its lines may a table make room for: an estimate can be far off."""


class LineTable:
    """Line numbers by 32 bits of a hash, in open addressing.

    Of ten thousand names two share a hash in one file of a hundred, so a line that is found here
    must be read again. What is certain is that no other line bears the name.
    """

    def __init__(self) -> None:
        self._tags = array("I", [0])
        """The hashes in the order in which their lines came."""
        self._slots = array("I", [0]) * _FIRST_SLOTS
        """Places among the hashes; 0 in an empty slot."""
        self._next = 0
        self._starts = array("Q")
        self._lines = array("Q")
        """Where the hashes of lines that follow each other start, and the first of these lines."""

    def reserve(self, more: int, expected: int = 0) -> None:
        """Make room for so many more lines, and for as many as a file is expected to have."""
        needed = len(self._tags) + more
        if needed * 3 > len(self._slots) * 2:
            self._grow(max(needed, min(expected, _AT_ONCE * needed)))

    def enter(self, keys: Sequence[int], line: int) -> Iterator[int]:
        """Put in lines that follow each other, as far as no other line can bear their names.

        `line` is that of the first key. Gives the place among `keys` of each that is not put in,
        before those behind it are. Meanwhile there must be room for what else is put in.
        """
        self._go_on_at(line, len(keys))
        first, tags, slots, mask = len(self._tags), self._tags, self._slots, len(self._slots) - 1
        new = _tags(keys)
        tags.extend(new)
        # The innermost loop of a check: these steps are taken for each line of a file.
        for place, tag in enumerate(new, first):
            slot = tag & mask
            if found := slots[slot]:
                while found and tags[found] != tag:
                    slot = (slot + 1) & mask
                    found = slots[slot]
                if found:
                    yield place - first
                    continue
            slots[slot] = place

    def put(self, key: int, line: int) -> None:
        """Put in a line, whether or not others may bear its name."""
        self.reserve(1)
        self._go_on_at(line, 1)
        self._tags.append(key & _TAG)
        self._place(len(self._tags) - 1)

    def lines(self, key: int) -> Iterator[int]:
        """Give the lines that may bear a name, by the hash of it."""
        tag, mask = key & _TAG, len(self._slots) - 1
        slot = tag & mask
        while place := self._slots[slot]:
            if self._tags[place] == tag:
                yield self._line(place)
            slot = (slot + 1) & mask

    def all_lines(self) -> Iterator[int]:
        """Give every line that was ever to be put in, some of them twice."""
        return map(self._line, range(1, len(self._tags)))

    def _go_on_at(self, line: int, lines: int) -> None:
        if line != self._next:
            self._starts.append(len(self._tags))
            self._lines.append(line)
        self._next = line + lines

    def _line(self, place: int) -> int:
        at = bisect_right(self._starts, place) - 1
        return self._lines[at] + place - self._starts[at]

    def _place(self, place: int) -> None:
        slots, mask = self._slots, len(self._slots) - 1
        slot = self._tags[place] & mask
        while slots[slot]:
            slot = (slot + 1) & mask
        slots[slot] = place

    def _grow(self, lines: int) -> None:
        old, size = self._slots, len(self._slots)
        while lines * 3 > size * 2:
            size *= 2
        self._slots = array("I", [0]) * size
        for place in old:
            if place:
                self._place(place)


def _tags(keys: Sequence[int]) -> "array[int]":
    """Halve hashes of 64 bits: one half is a hash as well."""
    return array("I", array("q", keys).tobytes())[_LOW::2]
