"""One line to one job. Pure but for what the given `Ids` note down; reads no file."""

from typing import Any

from runner.config import Config
from runner.errors import LineProblem
from runner.input.asking import Asking
from runner.input.decode import LineDecoder
from runner.input.digest import content_id, digest
from runner.input.draft import Draft
from runner.input.ids import Ids, KnownIds, id_text
from runner.input.lines import Line, Overlong
from runner.input.problems import BadLineAt, BadLineError
from runner.input.shapes import read_line
from runner.models import Job
from runner.settings import Ask

_AS_GIVEN = KnownIds()


class JobParser:
    """Parses the lines of one input under the options of one run. Not for several threads."""

    def __init__(self, ask: Ask, config: Config, label: str, *, max_line_bytes: int) -> None:
        """Prepare. Raises UsageError for a bad template, parameter or model in the options."""
        self.label = label
        self.max_line_bytes = max_line_bytes
        self._asking = Asking(ask, config)
        self._decoder = LineDecoder()
        self._rows = None
        if ask.template is not None:
            from runner.input.rows import RowReader  # Jinja is slow to import

            self._rows = RowReader(ask.template, ask.id_column)

    def parse(self, raw: Line, line: int, ids: Ids = _AS_GIVEN) -> Job:
        """Make a job of a line; `ids` gives it its final id.

        Raises InvalidLineError where the line is at fault (its problem bears the line's own id if
        that could be read, else None) and UsageError where an option is.
        """
        value: dict[str, Any] | None = None
        try:
            content = within_bound(raw, self.max_line_bytes)
            value = self._decoder.decode(content)
            return self._job(value, content, line, ids)
        except BadLineError as bad:
            own = None if value is None else self._own_id(value)
            problem = LineProblem(f"{self.label}:{line}", line, str(bad), own)
            raise BadLineAt(problem, bad) from None

    def _job(self, value: dict[str, Any], raw: bytes, line: int, ids: Ids) -> Job:
        draft = self._draft(value, raw)
        ref, request = self._asking.complete(draft)
        given = draft.id is not None
        return Job(
            id=ids.claim(draft.id or content_id(value), line, given),
            digest=digest(ref, request),
            line=line,
            provider=ref.provider,
            model=ref.model,
            request=request,
            metadata=draft.metadata,
        )

    def _draft(self, value: dict[str, Any], raw: bytes) -> Draft:
        if self._rows is not None:
            return self._rows.read(value, raw)
        return read_line(value, raw, self.label)

    def _own_id(self, value: dict[str, Any]) -> str | None:
        try:
            if self._rows is not None:
                return self._rows.id_of(value)
            key = "id" if "id" in value else "custom_id"
            return id_text(value[key], key) if key in value else None
        except BadLineError:
            return None


def within_bound(raw: Line, bound: int) -> bytes:
    """Give the line's bytes. Raises BadLineError for a line that passed the bound."""
    size = raw.size if isinstance(raw, Overlong) else len(raw)
    if isinstance(raw, Overlong) or size > bound:
        raise BadLineError(f"the line has {size:,} bytes; at most {bound:,} are read")
    return raw
