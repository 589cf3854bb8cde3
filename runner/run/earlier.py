"""Which record each job had that is asked again: eight bytes for each of them."""

from array import array
from bisect import bisect_left


class EarlierRows:
    """Rows of the results file by the place of a job in the input, of those asked again."""

    def __init__(self) -> None:
        self._places, self._rows = array("I"), array("I")

    def note(self, place: int, row: int) -> None:
        """Note a job's row. Places come in the order of the input."""
        self._places.append(place)
        self._rows.append(row)

    def row(self, place: int) -> int | None:
        """Give what was noted for a place; None for a job without a record."""
        at = bisect_left(self._places, place)
        found = at < len(self._places) and self._places[at] == place
        return self._rows[at] if found else None
