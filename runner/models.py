"""The records that travel through a run: job, request, completion, result.

Pure data; this module must not know files, providers or the terminal. The field names of
`Result` and what hangs below it are the promise to users (the results file), so they change only
by addition.
"""

from typing import Any, Literal

from msgspec import UNSET, Raw, Struct, UnsetType

from runner.quota import Quota

Api = Literal["openai", "openai-responses", "anthropic"]
Status = Literal["succeeded", "interrupted", "failed"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "pause", "other"]
ErrorKind = Literal[
    "invalid_job",
    "invalid_request",
    "auth",
    "quota",
    "not_found",
    "rate_limit",
    "overloaded",
    "timeout",
    "connection",
    "provider",
    "bad_response",
    "schema",
    "internal",
]
InterruptionReason = Literal[
    "sigint",
    "sigterm",
    "sighup",
    "deadline",
    "idle",
    "connection",
    "truncated_stream",
    "provider_error",
    "closed_pipe",
]

SCHEMA_VERSION = 1


class Schema(Struct, frozen=True, kw_only=True):
    """What the JSON of an answer must look like; see `runner.schemas`."""

    name: str
    """By which OpenAI's APIs call it."""
    document: dict[str, Any]
    """The JSON Schema itself; in what order it names properties, models answer."""
    digest: str
    """SHA-256 in hex of the document, white space aside."""
    strict: bool
    """Whether it keeps to the rules of OpenAI's strict mode."""


class Attachment(Struct, frozen=True, kw_only=True):
    """A file that a job attaches: all but what it holds, which is read when it is sent."""

    name: str
    """As the job gives it."""
    path: str
    kind: str
    """Its media type, told by its content: `image/png`, `application/pdf`, `text/plain`, ..."""
    size: int
    """Bytes."""
    sha256: str
    """Of its content, in hex."""

    @property
    def title(self) -> str:
        """What it is called where it is sent: never a place of this machine."""
        is_path = self.kind != "text/plain" or self.name.startswith("/")
        return self.name.rpartition("/")[2] if is_path else self.name


class Request(Struct, frozen=True, kw_only=True):
    """What is asked, in the user's words and before any provider's shape.

    `api` is None for native jobs and rows. For a line in a provider's batch shape it names that
    API, and `messages`, `system` and `params` are the pieces of its body, which the adapter puts
    together again unchanged.
    """

    messages: list[dict[str, Any]] | None = None
    """None where the API takes its input by another name (Responses `input`, kept in `params`)."""
    system: Any = None
    """A string; in Anthropic's batch shape it may be a list of content blocks."""
    max_tokens: int | None = None
    """Runner's portable cap in tokens; each adapter sends it by its API's own name."""
    params: dict[str, Any] = {}
    """Everything else, passed to the provider unchanged."""
    schema: Schema | None = None
    """`--schema`: each adapter sends it in its API's own form, and the answer is held against it.
    None also where a job brings a form of its own in `params`."""
    api: Api | None = None
    files: tuple[Attachment, ...] = ()
    """Attached to the last message of the user."""


class Job(Struct, frozen=True, kw_only=True):
    """One input line, checked and complete: ready to be sent."""

    id: str
    digest: str
    """SHA-256 in hex of what is asked; see `runner.input.digest`."""
    line: int | None
    """Line in the input, counted from 1; None for `tail`."""
    provider: str
    """Name of a configured provider, such as `openai` or `sim`."""
    model: str
    """The model as that provider knows it."""
    request: Request
    metadata: Raw | None = None
    """JSON on one line, exactly as the job gave it; None where it gave none."""


class Usage(Struct, frozen=True, kw_only=True):
    """Token counts of one answer. A count the provider did not give is None, never 0."""

    input_tokens: int | None = None
    """Cached ones and cache writes included."""
    output_tokens: int | None = None
    """Reasoning included."""
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | UnsetType = UNSET
    """Those of the writes that are kept for an hour, at a price of their own; left out where the
    provider told of none."""
    reasoning_tokens: int | None = None
    total_tokens: int | None = None
    complete: bool = True
    """False where the stream was cut before the provider's final count."""


class Interruption(Struct, frozen=True, kw_only=True):
    """Why an answer that was under way did not reach its end."""

    reason: InterruptionReason
    message: str
    at: str
    """RFC 3339, UTC."""


class ErrorRecord(Struct, frozen=True, kw_only=True):
    """A failure as it stands in a result."""

    kind: ErrorKind
    message: str
    http_status: int | None = None
    code: str | None = None
    retryable: bool = False
    request_id: str | None = None


class AttemptRecord(Struct, frozen=True, kw_only=True):
    """One request that was sent."""

    run: str
    """Id of the run that sent it."""
    started_at: str
    duration_s: float | None
    """None where the run that sent it was killed meanwhile."""
    outcome: str
    """`ok`, an error kind, `interrupted` where we stopped it, or `unknown` after a kill."""
    request_id: str | None = None
    usage: Usage | None = None
    retry_after_s: float | None = None
    """What the server asked for, in seconds; None where it asked for nothing."""
    cost_usd: float | None = None
    """0 where it was refused or never sent; None where price or count is not known."""
    at_most_usd: float | UnsetType = UNSET
    """Where `cost_usd` is None: the most it can have cost; left out where nobody can say."""
    batch: str | UnsetType = UNSET
    """The provider's id of the batch it was a row of; left out where it was a request."""
    lane: str | UnsetType = UNSET
    """`flex` where it was served, or failed, at that tier; `batch` for a row of a batch; left out
    where it was live, or nobody knows."""


class Completion(Struct, frozen=True, kw_only=True):
    """A provider's answer, whole or so far as it came, free of any SDK type."""

    text: str | None = None
    finish_reason: FinishReason | None = None
    """None where the provider did not end the answer."""
    usage: Usage | None = None
    response_model: str | None = None
    response: Raw | None = None
    """The provider's body as valid JSON without line breaks (streamed: assembled)."""
    request_id: str | None = None
    quota: Quota | None = None
    """What the response's headers said of the account's limits; in no record."""
    parsed: Raw | UnsetType | None = UNSET
    """The JSON of a text that fits the schema; None where it does not fit, UNSET where none was
    asked for."""
    service_tier: str | None = None
    """The tier at which the response says it was served; the record's lane and price follow it."""


class Result(Struct, frozen=True, kw_only=True):
    """One line of the results file. The order of the first five fields is promised."""

    v: int = SCHEMA_VERSION
    id: str
    digest: str | None
    """None only for a line that could not be read as a job."""
    line: int | None
    status: Status
    provider: str | None = None
    model: str | None = None
    response_model: str | None = None
    lane: str | None = None
    text: str | None = None
    parsed: Raw | UnsetType | None = UNSET
    """The answer's JSON, where it fits the schema that was asked for; None where no such answer
    came. Left out where no schema was asked for."""
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    cost_usd: float | None = None
    interruption: Interruption | None = None
    error: ErrorRecord | None = None
    attempts: list[AttemptRecord] = []
    started_at: str | None = None
    finished_at: str | None = None
    duration_s: float | None = None
    time_to_first_token_s: float | None = None
    streamed: bool = False
    response: Raw | UnsetType | None = UNSET
    """UNSET leaves the field out (`--no-response`)."""
    request: Raw | UnsetType = UNSET
    """The body that was sent; only with `--keep-request`."""
    metadata: Raw | None = None
