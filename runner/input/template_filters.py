"""Jinja's filters and tests, each counted and bounded before it works."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from runner.input.template_budget import Budget, TooMuchError, bounded, size
from runner.input.template_texts import (
    interpolated,
    joined,
    number_bounded,
    replaced,
    stripped,
)

_GOING_THROUGH = frozenset(
    {"batch", "groupby", "join", "list", "map", "max", "min", "reject", "rejectattr", "select"}
    | {"selectattr", "slice", "sort", "sum", "unique"}
)
"""Take a text as its single characters."""
_OPAQUE = (
    _GOING_THROUGH - {"join"}
    | {"attr", "count", "d", "default", "dictsort", "first"}
    | {"items", "last", "length", "reverse"}
)
"""Make no text of what they get, so that a function or a generator may be among it."""
_CHARS_A_STEP: Mapping[str, int] = {
    "title": 1,
    "wordcount": 4,
    "wordwrap": 2,
    "urlencode": 4,
    "urlize": 1,
    "xmlattr": 4,
    "pprint": 4,
    "tojson": 32,
    "int": 8,
    "float": 8,
    "indent": 8,
    "striptags": 8,
    "dictsort": 16,
    "sort": 16,
}
_LONGEST_WORD = 2_000
_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a filter. `args` may be changed before it works; the first is what is piped."""

    budget: Budget
    args: list[Any]
    named: dict[str, Any]

    def given(self, position: int, name: str, default: Any) -> Any:
        """Give an argument, however it was passed."""
        return self.args[position] if len(self.args) > position else self.named.get(name, default)


def counted(name: str, function: Callable[..., Any], budget: Budget) -> Callable[..., Any]:
    """Wrap a filter; it still gets the context or environment that it asks for."""
    first = 1 if hasattr(function, "jinja_pass_arg") else 0
    check = CHECKS.get(name)

    simple = name == "trim" or not any(
        name in some for some in (CHECKS, _CHARS_A_STEP, _GOING_THROUGH)
    )

    @wraps(function)
    def bound(*passed: Any, **named: Any) -> Any:
        if simple and not named and len(passed) == first + 1 and type(passed[first]) is str:
            # Nearly every use there is.
            budget.text(passed[first])
            return budget.made(function(*passed))
        use = Use(budget, list(passed[first:]), named)
        if use.args:
            _spend(use, name)
            if check is not None:
                check(use)
        return budget.made(function(*passed[:first], *use.args, **named))

    return bound


def counted_test(function: Callable[..., Any], budget: Budget) -> Callable[..., Any]:
    """Wrap a test."""

    @wraps(function)
    def bound(*args: Any, **named: Any) -> Any:
        for arg in args:
            budget.text(arg, opaque=True)
        return function(*args, **named)

    return bound


def _spend(use: Use, name: str) -> None:
    budget, args, opaque, chars = use.budget, use.args, name in _OPAQUE, 0
    if name == "join" and isinstance(args[0], Iterator):
        args[0] = list(budget.counted(args[0], 1))
    for arg in (*args, *use.named.values()):
        chars += budget.text(arg, opaque=opaque)
    if name in _GOING_THROUGH and isinstance(args[0], str):
        budget.spend(chars)
    if name in _CHARS_A_STEP:
        budget.spend(chars // _CHARS_A_STEP[name])


def _center(use: Use) -> None:
    number_bounded(use.given(1, "width", 80))


def _indent(use: Use) -> None:
    width = use.given(1, "width", 4)
    wide = len(width) if isinstance(width, str) else number_bounded(width)
    text = str(use.args[0])
    bounded(len(text) + wide * (1 + sum(map(text.count, _LINE_ENDS))))


def _wordwrap(use: Use) -> None:
    between = use.given(3, "wrapstring", None)
    if isinstance(between, str):
        bounded(len(between) * len(str(use.args[0])))


def _batch(use: Use) -> None:
    number_bounded(use.given(1, "linecount", 1))


def _slice(use: Use) -> None:
    use.budget.spend(number_bounded(use.given(1, "slices", 1)))


def _round(use: Use) -> None:
    if abs(use.given(1, "precision", 0)) > 400:
        raise TooMuchError("a precision in the template is too large")


def _tojson(use: Use) -> None:
    indent = use.given(1, "indent", None)
    if indent is not None:
        wide = len(indent) if isinstance(indent, str) else indent
        bounded(use.budget.indented(use.args[0]) * number_bounded(wide))


def _pprint(use: Use) -> None:
    use.budget.spend(4 * use.budget.indented(use.args[0]))


def _int(use: Use) -> None:
    if isinstance(use.args[0], str) and len(use.args[0]) > 10_000:
        raise TooMuchError("a number in the template is too long")


def _format(use: Use) -> None:
    interpolated(use.budget, str(use.args[0]), use.named or tuple(use.args[1:]))


def _join(use: Use) -> None:
    between = use.given(1, "d", "")
    items = use.args[0]
    if isinstance(items, list | tuple | dict):
        joined(use.budget, list(items), str(between))
    else:
        bounded(len(items) * (1 + len(str(between))))


def _replace(use: Use) -> None:
    old, new = use.given(1, "old", ""), use.given(2, "new", "")
    replaced(str(use.args[0]), str(old), str(new))


def _trim(use: Use) -> None:
    stripped(use.budget, str(use.args[0]), use.given(1, "chars", None))


def _striptags(use: Use) -> None:
    text = str(use.args[0])
    use.budget.spend(text.count("<") * size(text) // 4096)


def _urlize(use: Use) -> None:
    if max(map(len, str(use.args[0]).split()), default=0) > _LONGEST_WORD:
        raise TooMuchError("a word is too long to be searched for links")
    bounded(len(str(use.args[0])) * (len(str(use.args[1:])) + len(str(use.named))))


def _sum(use: Use) -> None:
    if not isinstance(use.given(2, "start", 0), int | float):
        # Lists are joined one by one, each time anew.
        use.args[0] = list(use.budget.counted(use.args[0], 1))
        use.budget.spend(len(use.args[0]) * use.budget.text(use.args[0], opaque=True) // 512)


CHECKS: dict[str, Callable[[Use], None]] = {
    "batch": _batch,
    "center": _center,
    "format": _format,
    "indent": _indent,
    "int": _int,
    "join": _join,
    "pprint": _pprint,
    "replace": _replace,
    "round": _round,
    "slice": _slice,
    "striptags": _striptags,
    "sum": _sum,
    "tojson": _tojson,
    "trim": _trim,
    "urlize": _urlize,
    "wordwrap": _wordwrap,
}
