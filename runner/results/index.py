"""Job ids in a table of row numbers instead of a dict: a tenth of the memory for millions."""

import os
from array import array
from collections.abc import Iterable
from hashlib import blake2b
from struct import Struct

from runner.results.column import Column, zeros
from runner.results.rows import NO_ROW

_SALT_BYTES = 16
_DIGEST_BYTES = 16
_key_of = Struct("=QI4x").unpack


class IdIndex:
    """Id to its latest row, by open addressing.

    An id is 96 bits of its BLAKE2b hash (salted, so that no file can provoke collisions); that
    two of ten million ids share them has a chance below 1e-14. A slot holds the row's number and
    1, so that fresh memory is empty. Slots are made when they are first needed: who asks for the
    ids of a file without repetitions in its order needs none.
    """

    def __init__(self, salt: bytes | None = None) -> None:
        """Start empty; a `salt` is that of the index which is to be gone on with."""
        self.salt = salt or os.urandom(_SALT_BYTES)
        self._hash = blake2b(digest_size=_DIGEST_BYTES, salt=self.salt)
        self.rows = 0
        self.keys, self.checks = Column("Q"), Column("I")
        self.chain: Column | None = None
        """By row: the row before of the same id and 1, or 0. None where no id comes twice."""
        self._ids: int | None = 0
        """None where they are not yet counted."""
        self._slots: memoryview[int] | None = None
        self._next = 0
        """The row behind the one that was found last."""

    @property
    def ids(self) -> int:
        """Count the ids."""
        if self._ids is None:
            self._make_slots()
        return self._ids or 0

    def extend(self, ids: Iterable[str]) -> None:
        """Add the next rows by their ids."""
        digests, copy = [], self._hash.copy
        for job_id in ids:
            hashed = copy()
            hashed.update(job_id.encode())
            digests.append(hashed.digest())
        data = b"".join(digests)
        self.keys.extend(array("Q", data)[::2])
        self.checks.extend(array("I", data)[2::4])
        self.rows += len(digests)
        self._ids = self._slots = None

    def find(self, job_id: str) -> int:
        """Find the latest row of an id, or NO_ROW."""
        if not self.rows:
            return NO_ROW
        key, check = self._key(job_id)
        row = self._next
        if not (self.ids == self.rows > row and self._is(row, key, check)):
            row = self._in_slot(key, check) - 1
        if row != NO_ROW:
            self._next = row + 1
        return row

    def earlier(self, row: int) -> int:
        """Give the row before of the same id, or NO_ROW."""
        if self.ids == self.rows or self.chain is None:
            return NO_ROW
        return self.chain[row] - 1

    def forget_slots(self) -> None:
        """Give back what is made again when an id is looked for out of order."""
        self._slots = None

    def forget_ids(self) -> None:
        """Give back all but the rows before of the same id: nothing is looked for any more."""
        self._ids = self.ids
        self._slots, self.keys, self.checks = None, Column("Q"), Column("I")

    def fill(self, keys: Column, checks: Column, chain: Column | None, ids: int) -> None:
        """Take over what was read from a file."""
        self.keys, self.checks, self.chain = keys, checks, chain
        self.rows, self._ids = len(keys), ids

    def _key(self, job_id: str) -> tuple[int, int]:
        hashed = self._hash.copy()
        hashed.update(job_id.encode("utf-8", "surrogatepass"))
        key, check = _key_of(hashed.digest())
        return key, check

    def _is(self, row: int, key: int, check: int) -> bool:
        return self.keys[row] == key and self.checks[row] == check

    def _in_slot(self, key: int, check: int) -> int:
        """Find what the slot of a key holds."""
        slots = self._slots or self._make_slots()
        slot = key % len(slots)
        while number := slots[slot]:
            if self._is(number - 1, key, check):
                break
            slot = (slot + 1) % len(slots)
        return number

    def _make_slots(self) -> "memoryview[int]":
        """Put each row into the slot of its key; half of them stay free."""
        count = self.rows * 2 + 1
        slots = self._slots = zeros("I", count)
        keys, checks, number, again = self.keys, self.checks, 0, 0
        for key in keys:
            number += 1
            slot = key % count
            while before := slots[slot]:
                if keys[before - 1] == key and checks[before - 1] == checks[number - 1]:
                    again += 1
                    self._link(number - 1, before)
                    break
                slot = (slot + 1) % count
            slots[slot] = number
        self._ids = number - again
        return slots

    def _link(self, row: int, before: int) -> None:
        if self.chain is None:
            self.chain = Column("I")
        self.chain.lengthen(self.rows)
        self.chain[row] = before
