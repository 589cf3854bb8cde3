"""What records say of their jobs, in one byte each: few of all combinations occur in one file."""

from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple, get_args

from runner.models import Status
from runner.results.heads import RecordHead

_STATUSES: tuple[Status, ...] = get_args(Status)
_MOST = 256


class State(NamedTuple):
    """What a record says of its job beside the answer."""

    status: Status
    error_kind: str | None = None
    finish_reason: str | None = None
    retryable: bool = False


PLAIN = {status: State(status) for status in _STATUSES}
"""What stands for records of which no more is asked."""


class States:
    """States by number; the numbers of the plain ones are in every file."""

    def __init__(self, known: Iterable[State] = ()) -> None:
        """Number the plain states, then those of a table that is to be gone on with."""
        self._states: list[State] = []
        self._numbers: dict[tuple[object, ...], int] = {}
        for state in known or _plain():
            self.number(state)

    def __iter__(self) -> Iterator[State]:
        return iter(self._states)

    def __getitem__(self, number: int) -> State:
        return self._states[number]

    def number(self, state: State) -> int:
        """Number a state; in a file of more than the schema has, kinds are not told apart."""
        number = self._numbers.get(state)
        if number is None:
            if len(self._states) >= _MOST:
                return self._numbers[State(state.status, retryable=state.retryable)]
            number = self._numbers[state] = len(self._states)
            self._states.append(state)
        return number

    def numbers(self, heads: Iterable[RecordHead]) -> "array[int]":
        """Number what records say."""
        said = [
            (head.status, None, head.finish_reason, False)
            if head.error is None
            else (head.status, head.error.kind, head.finish_reason, head.error.retryable)
            for head in heads
        ]
        known = self._numbers
        try:
            return array("B", [known[one] for one in said])
        except KeyError:
            return array("B", [self.number(State(*one)) for one in said])


def _plain() -> Iterator[State]:
    for status in _STATUSES:
        for retryable in (False, True):
            yield State(status, retryable=retryable)
