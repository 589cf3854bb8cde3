"""What requests take from limits: the words that meters and permits share. Pure data."""

from msgspec import Struct

from runner.pace.charging import Books, Mode


class Size(Struct, frozen=True, gc=False):
    """Tokens of a request, estimated or as used."""

    input: float
    output: float
    """The usual output before it is known."""
    cap: float
    """The most output."""


class Unit(Struct, frozen=True):
    """What a limit counts: requests, tokens read, tokens written."""

    name: str
    requests: int = 0
    input: int = 0
    output: int = 0
    starts: Mode = "returned"
    """How output is taken to be charged until it is known."""


class Entry(Struct, eq=False):
    """What one request took from one meter, and what was believed then."""

    fixed: float
    cap: float
    mode: Mode
    taken: float
    late: float
    """Output reserved here that the server has not charged yet."""
    blind: bool
    expected: float
    """What the server should have left, having let this request in."""
    corrected: float
    books: Books
