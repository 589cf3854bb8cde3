"""Things that are kept under an id: found, though not at once, and listed, newest first."""

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from runner.simulator.batches.context import Context
from runner.simulator.errors import ApiError


class Kept(Protocol):
    """A thing with an id."""

    @property
    def id(self) -> str:
        """Its name on the shelf."""


T = TypeVar("T", bound=Kept)


class Shelf(Generic[T]):
    """All things of one sort."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._things: dict[str, T] = {}
        self._shown: dict[str, float] = {}
        self._listed: dict[str, float] = {}

    def add(self, thing: T, *, at_once: bool = False) -> None:
        """Keep a thing; it shows late where the scenario says so, unless `at_once`."""
        settings, now = self._context.settings, self._context.clock()
        self._things[thing.id] = thing
        self._shown[thing.id] = now if at_once else now + settings.hidden_s
        self._listed[thing.id] = now if at_once else now + settings.listing_lag_s

    def find(self, name: str) -> T | None:
        """Look a thing up as a caller would: what is too new is not there yet."""
        shown = self._shown.get(name)
        if shown is None or shown > self._context.clock():
            return None
        return self._things[name]

    def reach(self, name: str) -> T | None:
        """Look a thing up as the service itself would: it knows what it has."""
        return self._things.get(name)

    def remove(self, name: str) -> None:
        """Throw a thing away."""
        del self._things[name], self._shown[name], self._listed[name]

    def all(self) -> Sequence[T]:
        """Everything, oldest first."""
        return list(self._things.values())

    def listed(self) -> list[T]:
        """What lists show, newest first."""
        now = self._context.clock()
        found = [thing for name, thing in self._things.items() if self._listed[name] <= now]
        return found[::-1]


def read_limit(query: dict[str, str], default: int, most: int) -> int:
    """Read `limit` of a list.

    Raises:
        ApiError: 400.
    """
    text = query.get("limit", str(default))
    if not text.isdecimal() or not 1 <= int(text) <= most:
        message = f"limit: expected an integer from 1 to {most}, but got {text!r} instead."
        raise ApiError(400, message, param="limit")
    return int(text)


def place_of(name: str, things: Sequence[Kept], cursor: str) -> int:
    """Tell where the thing named by a cursor stands.

    Raises:
        ApiError: 400, it stands nowhere.
    """
    for place, thing in enumerate(things):
        if thing.id == name:
            return place
    raise ApiError(400, f"{cursor}: no such object: {name}", param=cursor)
