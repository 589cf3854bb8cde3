"""One line to one job. Pure but for what the given `Ids` note down, and the files jobs attach."""

from typing import Any, NamedTuple

import msgspec
from msgspec import UnsetType

from runner.config import Config, ModelRef
from runner.errors import LineProblem, UsageError
from runner.input.asking import Asking
from runner.input.attachments import Attachments
from runner.input.decode import LineDecoder
from runner.input.digest import canonical, digest
from runner.input.draft import Draft
from runner.input.foreign import table_without_template
from runner.input.ids import Ids, KnownIds, id_text
from runner.input.lines import Line, Unread
from runner.input.plain import PlainJob, plain_draft
from runner.input.problems import BadLineAt, BadLineError
from runner.input.shapes import read_line
from runner.input.source import Source
from runner.models import Job, Request
from runner.settings import Ask, BatchSettings

_AS_GIVEN = KnownIds()


class Question(NamedTuple):
    """What a job asks, in short."""

    ref: ModelRef
    digest: str
    max_tokens: int | None


class JobParser:
    """Parses the lines of one input under the options of one run. Not for several threads."""

    def __init__(
        self,
        ask: Ask,
        config: Config,
        label: str,
        *,
        max_line_bytes: int,
        table: bool = False,
        attachments: Attachments | None = None,
    ) -> None:
        """Prepare. Raises UsageError for a bad template, parameter or model in the options.

        `table`: the lines are rows whatever their columns are named, and need a template.
        `attachments`: finds the files that jobs name; in the current folder if None.
        """
        self.label = label
        self.table = table
        self.max_line_bytes = max_line_bytes
        self._config = config
        self._attachments = attachments or Attachments()
        self._asking = Asking(ask, config)
        self.models: dict[str | UnsetType, ModelRef] = {}
        """Where jobs go by what they name as their model, as far as that was learnt."""
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

    @property
    def takes_rows(self) -> bool:
        """Whether each line is a row for a template."""
        return self.table or self._rows is not None

    @property
    def caps_all(self) -> bool:
        """Whether no job is without a longest answer, because of the options."""
        return self._asking.caps_all

    def learn(self, model: str | UnsetType) -> bool:
        """Find out where a job goes that names this model; False where that cannot be said."""
        if model == "":
            return False
        try:
            self.models[model], _ = self._asking.complete(
                Draft(id=None, messages=None, model=model or None)
            )
        except (BadLineError, UsageError):
            return False
        return True

    def request(self, job: PlainJob) -> tuple[ModelRef, Request]:
        """Give whom a usual job asks, whose model was learnt, and what."""
        return self._asking.complete(plain_draft(job))

    def question(self, job: PlainJob) -> Question:
        """Give the same in short."""
        ref, request = self.request(job)
        return Question(ref, digest(ref, request), request.max_tokens)

    def _job(self, value: dict[str, Any], raw: bytes, line: int, ids: Ids) -> Job:
        draft = self._draft(value, raw)
        ref, request = self._asking.complete(draft)
        if draft.files:
            files = self._attachments.of(draft.files, self._config.providers[ref.provider].api)
            request = msgspec.structs.replace(request, files=files)
        if draft.id is None:
            job_id = ids.claim_content(canonical(value), line)
        else:
            job_id = ids.claim(draft.id, line, given=True)
        return _job(job_id, line, draft, ref, request)

    def _draft(self, value: dict[str, Any], raw: bytes) -> Draft:
        if self._rows is not None:
            return self._rows.read(value, raw)
        if self.table:
            raise table_without_template(value, self.label)
        return read_line(value, raw, self.label)

    def _own_id(self, value: dict[str, Any]) -> str | None:
        try:
            if self._rows is not None:
                return self._rows.id_of(value)
            key = "id" if "id" in value else "custom_id"
            return id_text(value[key], key) if key in value else None
        except BadLineError:
            return None


def parser_of(source: Source, settings: BatchSettings, config: Config) -> JobParser:
    """Give the parser of a batch's input. Raises UsageError as it does."""
    return JobParser(
        settings.ask,
        config,
        source.label,
        max_line_bytes=settings.max_line_bytes,
        table=source.separator is not None,
        attachments=Attachments(
            settings.files_from or source.folder, chosen=settings.files_from is not None
        ),
    )


def _job(job_id: str, line: int, draft: Draft, ref: ModelRef, request: Request) -> Job:
    return Job(
        id=job_id,
        digest=digest(ref, request),
        line=line,
        provider=ref.provider,
        model=ref.model,
        request=request,
        metadata=draft.metadata,
    )


def within_bound(raw: Line, bound: int) -> bytes:
    """Give the line's bytes. Raises BadLineError where there are none, or too many."""
    if isinstance(raw, Unread) and raw.reason is not None:
        raise BadLineError(raw.reason)
    size = raw.size if isinstance(raw, Unread) else len(raw)
    if isinstance(raw, Unread) or size > bound:
        raise BadLineError(f"the line has {size:,} bytes; at most {bound:,} are read")
    return raw
