"""HTML whose texts cannot break out: what is not `Html` already is escaped where it is put in."""

from html import escape

from runner.words import printable

_DRAWN = frozenset({"rect", "line", "path"})
_VOID = _DRAWN | {"meta", "link", "input", "br"}


class Html(str):
    """A piece of HTML; any other string is text."""

    __slots__ = ()


def text(words: str) -> Html:
    """Write text: nothing in it is markup, and what a reader cannot see is shown as an escape."""
    return Html(escape(printable(words)))


def el(tag: str, /, *children: str | None, **attributes: str | int | float | bool | None) -> Html:
    """Write an element. Attributes are called as Python allows: `class_`, `aria_label`.

    None leaves an attribute or a child out; True writes an attribute without a value.
    """
    told = "".join(
        _attribute(key, value)
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if tag in _VOID:
        return Html(f"<{tag}{told}{'/' if tag in _DRAWN else ''}>")
    return Html(f"<{tag}{told}>{join(*children)}</{tag}>")


def join(*children: str | None) -> Html:
    """Put pieces one after another."""
    pieces = (child if isinstance(child, Html) else text(child) for child in children if child)
    return Html("".join(pieces))


def _attribute(key: str, value: str | float | bool) -> str:
    # SVG knows attributes with capitals, HTML such with dashes.
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    shown = f"{value:.6g}" if isinstance(value, float) else text(str(value))
    return f' {name}="{shown}"'
