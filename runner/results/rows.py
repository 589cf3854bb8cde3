"""What is kept of each record of a results file, by number: its place, its line, its state."""

from array import array

from runner.results.column import Column
from runner.results.input_lines import InputLines
from runner.results.places import Places
from runner.results.states import State, States

NO_ROW = -1


class Rows:
    """The records of a file in its order, numbered from 0: a scan finds some, a run adds more."""

    def __init__(self) -> None:
        self.places = Places()
        self.lines = InputLines()
        self.numbers = Column("B")
        """Of their states."""
        self.states = States()

    def __len__(self) -> int:
        return len(self.numbers)

    def state(self, row: int) -> State:
        """Say what a record says of its job."""
        return self.states[self.numbers[row]]

    def succeeded(self, row: int) -> bool:
        """Whether a record holds a whole answer."""
        return self.state(row).status == "succeeded"

    def append(self, offset: int, length: int, line: int, state: State) -> None:
        """Take in the next record; its line is 0 for none."""
        self.places.append(offset, length)
        self.lines.append(line)
        self.numbers.append(self.states.number(state))

    def extend(
        self, offset: int, strides: list[int], lines: list[int | None], states: "array[int]"
    ) -> None:
        """Take in records that follow each other from `offset`: see `Places.extend`."""
        self.places.extend(offset, strides)
        self.lines.extend([line or 0 for line in lines] if None in lines else lines)  # type: ignore[arg-type] # no None in it
        self.numbers.extend(states)
