"""Which record each job had that is asked again: eight bytes for each of them."""

from array import array
from bisect import bisect_left


class EarlierRows:
    """Rows of the results file by the line of the input, for jobs that are asked again."""

    def __init__(self) -> None:
        self._lines, self._rows = array("I"), array("I")

    def note(self, line: int, row: int) -> None:
        """Note a job's row. Lines come in the order of the input."""
        self._lines.append(line)
        self._rows.append(row)

    def row(self, line: int) -> int | None:
        """Give what was noted for a line; None for a job without a record."""
        at = bisect_left(self._lines, line)
        found = at < len(self._lines) and self._lines[at] == line
        return self._rows[at] if found else None
