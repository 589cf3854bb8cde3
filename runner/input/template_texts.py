"""What making a text would come to, told before it is made. Knows no Jinja."""

import re
from typing import Any

from runner.input.template_budget import LONGEST_PROMPT, Budget, TooMuchError, bounded, size

MOST_ITEMS = 1_000_000
_MOST_BITS = 1 << 16
_WIDEST_NUMBER = 320
"""Characters of the largest double in full."""
_SPEC = re.compile(
    r"%(?P<key>\([^()]*\))?[-+ #0]*(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d+)?)?(?P<open>\()?"
)
_QUADRATIC = ("rfind", "rindex", "rsplit", "rpartition", "strip", "lstrip", "rstrip")
"""These may look at each character as often as their argument is long."""
_PLAIN = frozenset(
    {"capitalize", "casefold", "count", "endswith", "find", "index", "isalnum", "isalpha"}
    | {"isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric", "isprintable"}
    | {"isspace", "istitle", "isupper", "lower", "partition", "removeprefix", "removesuffix"}
    | {"startswith", "swapcase", "title", "upper", "encode"}
)
_SPLITTING = ("split", "rsplit", "splitlines")
_WIDTHS = ("center", "ljust", "rjust", "zfill")
_OF_BYTES = frozenset({"decode", "hex"})


def number_bounded(value: Any) -> int:
    """Check a width, and give it. Raises TooMuchError."""
    if isinstance(value, int) and abs(value) > MOST_ITEMS:
        raise TooMuchError("a number given to a filter or function of the template is too large")
    return int(value) if isinstance(value, int) else 0


def product(left: Any, right: Any) -> None:
    """Check `left * right`. Raises TooMuchError."""
    if isinstance(left, int) and isinstance(right, int):
        if left.bit_length() + right.bit_length() > _MOST_BITS:
            raise TooMuchError("a product in the template is too large")
        return
    for text, times in ((left, right), (right, left)):
        if isinstance(times, int) and isinstance(text, str | bytes | list | tuple):
            most = LONGEST_PROMPT if isinstance(text, str | bytes) else MOST_ITEMS
            if len(text) * times > most:
                raise TooMuchError("a product in the template is too long")


def power(left: Any, right: Any) -> None:
    """Check `left ** right`. Raises TooMuchError."""
    if abs(left) > 2**64 or abs(right) > 64:
        raise TooMuchError("a power in the template is too large")


def total(left: Any, right: Any) -> None:
    """Check `left + right`. Raises TooMuchError."""
    if isinstance(left, int) and isinstance(right, int):
        if left.bit_length() + right.bit_length() > _MOST_BITS:
            raise TooMuchError("a sum in the template is too large")
        return
    if isinstance(left, str | bytes) and isinstance(right, str | bytes):
        bounded(len(left) + len(right))
    lists = isinstance(left, list | tuple) and isinstance(right, list | tuple)
    if lists and len(left) + len(right) > MOST_ITEMS:
        raise TooMuchError("a list in the template is too long")


def interpolated(budget: Budget, text: str, values: Any) -> None:
    """Check `text % values`. Raises TooMuchError."""
    budget.spend(1 + 4 * text.count("%"))
    widths, specs = 0, 0
    for found in _SPEC.finditer(text):
        given = (found["width"] or "0", found["precision"] or "0")
        if "*" in given or found["open"] or max(map(len, given)) > len(str(MOST_ITEMS)):
            raise TooMuchError("a format in the template is too wide, or too odd to be read")
        widths += int(given[0]) + int(given[1])
        specs += 1
    bounded(len(text) + widths + specs * (budget.text(values) + _WIDEST_NUMBER))


def replaced(text: str, old: str, new: str) -> None:
    """Check `text.replace(old, new)`. Raises TooMuchError."""
    if len(new) > len(old):
        bounded(len(text) + text.count(old) * len(new))


def joined(budget: Budget, items: list[Any], between: Any) -> None:
    """Check `between.join(items)`. Raises TooMuchError."""
    bounded(budget.text(items) + len(between) * len(items))


def stripped(budget: Budget, text: str, chars: Any) -> None:
    """Count what looking at every character for every other comes to."""
    if isinstance(chars, str):
        budget.spend(size(text) * len(chars) // 1024)


def method(budget: Budget, owner: Any, name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Check a call of a value's own method; give its arguments. Raises TooMuchError, TypeError."""
    for arg in args:
        budget.text(arg, opaque=True)
    if isinstance(owner, str):
        return _of_text(budget, owner, name, args)
    if isinstance(owner, bytes) and name not in _OF_BYTES:
        raise TypeError(f"a template may not call .{name}()")
    if name in ("to_bytes", "from_bytes", "fromkeys"):
        raise TypeError(f"a template may not call .{name}()")
    if name in ("index", "count"):
        budget.text(owner, opaque=True)
    return args


def _of_text(budget: Budget, text: str, name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    budget.spend(1 + size(text) // 128)
    if name in _QUADRATIC and args:
        stripped(budget, text, args[0])
    if name in _SPLITTING:
        budget.spend(len(text) // 4)
    elif name in _WIDTHS:
        number_bounded(args[0] if args else 0)
    elif name == "expandtabs":
        bounded(len(text) + text.count("\t") * number_bounded(args[0] if args else 8))
    elif name == "replace" and len(args) > 1:
        replaced(text, args[0], args[1])
    elif name == "join" and args:
        items = list(budget.counted(args[0], 1))
        joined(budget, items, text)
        return (items, *args[1:])
    elif name not in _PLAIN and name not in _QUADRATIC and name not in ("replace", "join"):
        raise TypeError(f"a template may not call .{name}()")
    return args
