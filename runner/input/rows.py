"""Rows of a table, each turned into a job by the template."""

from typing import Any

from runner.input.draft import Draft
from runner.input.ids import id_text
from runner.input.native import one_line
from runner.input.problems import BadLineError
from runner.input.template import RowTemplate
from runner.input.words import listed, quoted

ID_COLUMNS = ("id", "custom_id")


class RowReader:
    """Turns rows into drafts. Raises UsageError for a bad template."""

    def __init__(self, template: str, id_column: str | None) -> None:
        self._template = RowTemplate(template)
        self._id_column = id_column

    def read(self, row: dict[str, Any], raw: bytes) -> Draft:
        """Fill the template from one row. Raises BadLineError."""
        return Draft(
            id=self.id_of(row),
            messages=[{"role": "user", "content": self._template.render(row)}],
            metadata=one_line(raw[raw.index(b"{") :]),
        )

    def id_of(self, row: dict[str, Any]) -> str | None:
        """The row's id; None where it has none. Raises BadLineError for one that cannot be."""
        if self._id_column is not None:
            if self._id_column not in row:
                columns = listed(row)
                raise BadLineError(f"has no column {quoted(self._id_column)} (columns: {columns})")
            return id_text(row[self._id_column], self._id_column)
        for column in ID_COLUMNS:
            # An empty cell is no id; tables are full of them.
            if row.get(column) not in (None, ""):
                return id_text(row[column], column)
        return None
