"""The table by which a file's lines are told apart."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from runner.input.line_table import LineTable

BYTES_A_LINE = 17
"""Sixteen, and what an array keeps in hand."""


def size(table: LineTable) -> int:
    """Bytes that a table holds."""
    held = [getattr(table, name) for name in vars(table)]
    return sum(one.buffer_info()[1] * one.itemsize for one in held if isinstance(one, array))


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 2), max_size=60))
def test_what_is_not_put_in_may_be_a_repeat(keys: list[int]) -> None:
    """Each key is either put in or given back, and the lines of every key are found again."""
    table = LineTable()
    table.reserve(2 * len(keys))
    again = list(table.enter(keys, 5))
    for at in again:
        assert keys[at] & 0xFFFFFFFF in {key & 0xFFFFFFFF for key in keys[:at]}
        table.put(keys[at], 5 + at)
    assert all(5 + at in table.lines(key) for at, key in enumerate(keys))
    assert set(table.all_lines()) == set(range(5, 5 + len(keys)))


def test_a_line_takes_sixteen_bytes_at_most() -> None:
    """However many lines a file has, its table stays within sixteen bytes a line."""
    table, lines = LineTable(), 0
    while lines < 300_000:
        keys = [hash(str(line)) for line in range(lines, lines + 1000)]
        table.reserve(len(keys))
        again = list(table.enter(keys, lines + 1))
        assert len(again) < 5
        lines += 1000
        assert lines < 50_000 or size(table) <= BYTES_A_LINE * lines
