"""Templates that only put columns between words, as most do: filled without running Jinja."""

from typing import Any

from jinja2 import nodes

_SPECIAL = frozenset({"self", "super", "caller", "loop", "varargs", "kwargs", "row"})
"""Names that Jinja, or the row itself, may give another meaning."""


class PlainTemplate:
    """Words and columns in turn. Gives what Jinja would, or leaves the row to it."""

    def __init__(self, parts: list[str], columns: list[tuple[int, str]]) -> None:
        self._parts = parts
        self._columns = columns

    def fill(self, row: dict[str, Any]) -> str | None:
        """Fill it from the row; None where a column is missing or no text."""
        parts = self._parts.copy()
        for at, name in self._columns:
            value = row.get(name)
            if type(value) is not str:
                return None
            parts[at] = value
        return "".join(parts)


def plain_template(tree: nodes.Template, names: set[str]) -> PlainTemplate | None:
    """Give the plain form of a parsed template whose columns these are; None where it has none."""
    parts: list[str] = []
    columns: list[tuple[int, str]] = []
    for output in tree.body:
        if not isinstance(output, nodes.Output):
            return None
        for node in output.nodes:
            if isinstance(node, nodes.TemplateData):
                parts.append(node.data)
            elif isinstance(node, nodes.Name) and node.name in names - _SPECIAL:
                columns.append((len(parts), node.name))
                parts.append("")
            else:
                return None
    return PlainTemplate(parts, columns)
