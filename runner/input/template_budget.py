"""What the template of one row may cost: steps, lengths, and which values have a text at all.

A step is about half a microsecond of work and at most 128 bytes of memory. Knows no Jinja.
"""

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Sized, ValuesView
from typing import Any

LONGEST_PROMPT = 64 * 1024 * 1024
"""Characters. As much as a line may have bytes; a template that makes more has run away."""
MAX_STEPS = 2_000_000
"""For one row. A second on a slow machine, or 256 MB."""
CHARS_A_STEP = 128
ITEMS_A_STEP = 16
TEXT_OF_A_NUMBER = 32
TOO_LONG = "the template makes a text that is too long"

_NUMBERS = frozenset({float, bool, type(None)})
_CONTAINERS: tuple[Any, ...] = (list, tuple, KeysView, ValuesView, ItemsView)


class TooMuchError(OverflowError):
    """The template does too much of this row; the text is the reason."""


class Budget:
    """Counts down while one row is filled in. The same row always comes to the same count."""

    def __init__(self) -> None:
        self._left = MAX_STEPS

    def renew(self) -> None:
        """Begin the next row."""
        self._left = MAX_STEPS

    def spend(self, steps: int) -> None:
        """Count steps. Raises TooMuchError when there are no more."""
        self._left -= steps
        if self._left < 0:
            raise TooMuchError("the template takes too many steps for this row")

    def text(self, value: Any, *, opaque: bool = False) -> int:
        """Walk through a value and give the characters of its texts, about.

        Everything in it is a step, in every place where it stands: lists of the same list of the
        same list grow by doubling. What has no text of its own (a function, a generator) is
        refused unless `opaque`: its text would be an address, another one in every run.
        """
        if type(value) is str:
            length = len(value)
            self.spend(1 + (length if value.isascii() else 4 * length) // CHARS_A_STEP)
            return length
        return sum(self._levels(value, opaque=opaque))

    def indented(self, value: Any) -> int:
        """Give the sum of all depths: the columns of a value written with an indent of one."""
        left, columns = self._left, 0
        for depth, _ in enumerate(self._levels(value, opaque=True), 1):
            columns += depth * (left - self._left)
            left = self._left
        return columns

    def _levels(self, value: Any, *, opaque: bool) -> Iterator[int]:
        """Give the characters of each level of a value, the outermost first."""
        level = [value]
        while level:
            chars, below = 0, []
            for item in level:
                kind = type(item)
                if kind is str:
                    chars += len(item)
                    if len(item) >= CHARS_A_STEP:
                        self.spend(size(item) // CHARS_A_STEP)
                elif kind in _NUMBERS:
                    chars += TEXT_OF_A_NUMBER
                elif (inner := self._inner(item)) is not None:
                    self.spend(len(inner))
                    below += inner
                else:
                    chars += self._odd(item, opaque=opaque)
            self.spend(len(level))
            level = below
            yield chars

    def _inner(self, item: Any) -> Any:
        if isinstance(item, dict):
            self.spend(2 * len(item))
            return [*item, *item.values()]
        return item if isinstance(item, _CONTAINERS) else None

    def _odd(self, item: Any, *, opaque: bool) -> int:
        if isinstance(item, int):
            return TEXT_OF_A_NUMBER + item.bit_length() // 3
        if isinstance(item, str | bytes):
            self.spend(size(item) // CHARS_A_STEP)
            return len(item)
        if not opaque and not isinstance(item, complex | range):
            refuse_opaque(item)
        return TEXT_OF_A_NUMBER

    def made(self, value: Any) -> Any:
        """Take in what was made: long texts and lists cost what they take."""
        if isinstance(value, str | bytes):
            bounded(len(value))
            if len(value) >= CHARS_A_STEP:
                self.spend(size(value) // CHARS_A_STEP)
        elif isinstance(value, list | tuple | dict):
            self.spend(1 + len(value) // ITEMS_A_STEP)
        elif isinstance(value, Iterator):
            return self.counted(value, 1)
        return value

    def counted(self, items: Any, cost: int) -> Any:
        """Let something be gone through, each item at this cost."""
        if isinstance(items, Sized):
            self.spend(1 + len(items) * cost)
            return items
        return self._each(items, cost)

    def _each(self, items: Iterable[Any], cost: int) -> Iterator[Any]:
        for item in items:
            self.spend(cost)
            yield item


def bounded(chars: int) -> None:
    """Refuse a text of so many characters before it is made. Raises TooMuchError."""
    if chars > LONGEST_PROMPT:
        raise TooMuchError(TOO_LONG)


def size(text: str | bytes) -> int:
    """Give about the bytes of a text in memory."""
    return len(text) if text.isascii() else 4 * len(text)


def refuse_opaque(value: Any) -> None:
    """Say what is wrong with a value that has no text. An undefined one says so itself."""
    if type(value).__name__.endswith("Undefined"):
        str(value)
    if callable(value):
        raise TypeError("it uses a function as a value (is a () missing?)")
    if isinstance(value, Iterator):
        raise TypeError("it uses the result of a filter as a text (is |list or |join missing?)")
    raise TypeError(f"a {type(value).__name__.lower()} has no text")
