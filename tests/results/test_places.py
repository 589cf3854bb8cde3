"""Where records stand, which lines they name, and how they are read in any order."""

import os
import random
from itertools import islice
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from runner.results.column import PER_BLOCK, Column
from runner.results.gather import gather
from runner.results.input_lines import InputLines
from runner.results.places import Places

LENGTHS = st.one_of(st.integers(1, 40), st.sampled_from([65_533, 65_534, 65_535, 200_000]))
RUNS = st.lists(
    st.tuples(st.integers(0, 2), st.lists(LENGTHS, min_size=1, max_size=40), st.booleans()),
    min_size=1,
    max_size=8,
)
"""What lies before some records in bytes, their lengths, and whether they come one by one."""


def laid(runs: list[tuple[int, list[int], bool]]) -> tuple[Places, list[tuple[int, int]]]:
    """Lay records behind each other, and say plainly where each one is."""
    places, plain, end = Places(), list[tuple[int, int]](), 0
    for gap, lengths, singly in runs:
        start = end + gap
        end = start
        for length in lengths:
            plain.append((end, length))
            if singly:
                places.append(end, length)
            end += length + 1
        if not singly:
            places.extend(start, [length + 1 for length in lengths])
    return places, plain


@given(runs=RUNS, chance=st.randoms(use_true_random=False))
def test_each_record_is_found(
    runs: list[tuple[int, list[int], bool]], chance: random.Random
) -> None:
    """However records came, and whatever lies between them, each is found where it is."""
    places, plain = laid(runs)
    rows = list(range(len(plain)))
    assert [places[row] for row in rows] == plain
    assert places.end == sum(plain[-1], start=1)
    assert places.packed == sum(length + 1 for _, length in plain)
    assert places.gapless == (places.packed == places.end)
    chance.shuffle(rows)
    for some in (rows, sorted(rows[:5]), rows[:1]):
        assert places.offsets(some) == [plain[row][0] for row in some]


def test_far_apart(tmp_path: Path) -> None:
    """Of many records any few are found, and read in whichever order they are asked for."""
    path, chance = tmp_path / "o", random.Random(3)
    records = [b"%d" % number * chance.randint(1, 20) for number in range(30_000)]
    path.write_bytes(b"\n".join([*records, b""]))
    places = Places()
    places.extend(0, [len(record) + 1 for record in records])
    mixed = chance.sample(range(len(records)), 5_000)
    fd = os.open(path, os.O_RDONLY)
    try:
        for rows in (range(len(records)), mixed, [29_999, 0, 1], list(range(5, 9_000, 7))):
            found = list(gather(fd, places, rows))
            assert [row for some, _ in found for row in some] == list(rows)
            read = [record for _, some in found for record in some]
            assert read == [records[row] for row in rows]
    finally:
        os.close(fd)


@given(
    runs=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5), st.booleans()), max_size=6),
    change=st.tuples(st.integers(0, 29), st.integers(0, 9)),
)
def test_lines_that_records_name(
    runs: list[tuple[int, int, bool]], change: tuple[int, int]
) -> None:
    """In order or not, each record names the line that it was given."""
    lines, plain = InputLines(), list[int]()
    for jump, count, singly in runs:
        first = jump or len(plain) + 1
        some = list(range(first, first + count))
        plain += some
        if singly:
            for line in some:
                lines.append(line)
        else:
            lines.extend(some)
    if plain:
        row, line = change[0] % len(plain), change[1]
        lines[row] = plain[row] = line
    assert (len(lines), list(lines)) == (len(plain), plain)
    assert [lines[row] for row in range(len(plain))] == plain


def test_a_number_too_large_is_not_added() -> None:
    """A column is as it was after a number that it cannot hold, also at the end of a block."""
    column, told = Column("H"), list[int]()
    for number in islice(range(1 << 17), PER_BLOCK + 5):
        for tried in (1 << 16, number & 0xFFFF):
            try:
                column.append(tried)
            except ValueError:
                assert tried == 1 << 16
            else:
                told.append(tried)
    assert list(column) == told
    assert len(column) == PER_BLOCK + 5
