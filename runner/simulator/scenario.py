"""What a scenario file may say. These records are the format: an unknown key is an error.

Times are in seconds, rates are shares from 0 to 1, and every table may be left out.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]
PerMinute = Annotated[int, Meta(ge=1)]
Positive = Annotated[float, Meta(gt=0)]

FaultKind = Literal[
    "status",
    "rate_limit",
    "quota",
    "auth",
    "overloaded",
    "reset",
    "close",
    "truncate",
    "stall",
    "garbage",
    "empty",
    "error_event",
]
Finish = Literal["stop", "length", "tool_calls", "refusal", "content_filter", "pause"]
Misfit = Literal["prose", "type", "missing"]
ErrorEventForm = Literal["flat", "nested", "failed"]
RouteName = Literal[
    "files.create",
    "files.list",
    "files.retrieve",
    "files.content",
    "files.delete",
    "batches.create",
    "batches.list",
    "batches.retrieve",
    "batches.cancel",
    "messages.batches.create",
    "messages.batches.list",
    "messages.batches.retrieve",
    "messages.batches.cancel",
    "messages.batches.results",
    "messages.batches.delete",
]
"""The calls of the batch services, named as the SDKs name them."""


class AnswerLength(Struct, frozen=True, forbid_unknown_fields=True):
    """Tokens of an answer; each prompt has its own length, always the same one."""

    min_tokens: Count = 16
    mean_tokens: Count = 40
    max_tokens: Count = 90
    reasoning_tokens: Count = 0
    """Tokens of thinking before the answer; they count against the request's cap."""


class Speed(Struct, frozen=True, forbid_unknown_fields=True):
    """When tokens come; streamed or not, the last one comes at the same moment."""

    first_token_s: Seconds = 0.04
    jitter: Share = 0.5
    """How far the first token may stray from `first_token_s`, as a share of it."""
    tokens_per_second: Positive = 400.0
    full_speed_in_flight: PerMinute | None = None
    """Requests in flight up to which nothing slows down; left out: any number of them."""
    slowdown: Seconds = 1.0
    """Beyond that a request takes (in flight at its start / full_speed_in_flight) ** slowdown
    times as long: with 1 throughput stays level, with 2 it falls."""


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Token buckets that refill smoothly, shared by all callers. Left out means no limit."""

    requests_per_minute: PerMinute | None = None
    tokens_per_minute: PerMinute | None = None
    input_tokens_per_minute: PerMinute | None = None
    output_tokens_per_minute: PerMinute | None = None
    request_burst_s: Positive = 1.0
    """Size of the request bucket, in seconds of its refill; it always holds one request."""
    token_burst_s: Positive = 6.0
    """Size of the token buckets, in seconds of their refill."""
    charge: Literal["admission", "completion"] = "admission"
    """When output is charged: up front with the request's cap (settled later), or at the end."""
    count_refusals: bool = False
    """Whether a refused request uses up a request, too, as some providers have it."""
    max_concurrency: PerMinute | None = None


class LimitsChange(Struct, frozen=True, forbid_unknown_fields=True):
    """New values for some of the limits; what is left out stays. A JSON null takes a limit away."""

    requests_per_minute: PerMinute | UnsetType | None = UNSET
    tokens_per_minute: PerMinute | UnsetType | None = UNSET
    input_tokens_per_minute: PerMinute | UnsetType | None = UNSET
    output_tokens_per_minute: PerMinute | UnsetType | None = UNSET
    request_burst_s: Positive | UnsetType = UNSET
    token_burst_s: Positive | UnsetType = UNSET
    charge: Literal["admission", "completion"] | UnsetType = UNSET
    count_refusals: bool | UnsetType = UNSET
    max_concurrency: PerMinute | UnsetType | None = UNSET


class LaterLimits(LimitsChange, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A change of limits in mid-run."""

    seconds: Seconds
    """After the first request since the server started."""


class Fault(Struct, frozen=True, forbid_unknown_fields=True):
    """One way for a request to go wrong."""

    kind: FaultKind
    status: Annotated[int, Meta(ge=200, le=599)] | None = None
    """HTTP status for `status` and `garbage`; the error's nature for `error_event`."""
    code: str | None = None
    message: str | None = None
    retry_after_s: Seconds | None = None
    after_tokens: Count | None = None
    """Left out: before the first byte. Else after so many tokens (halfway in a plain body)."""
    seconds: Seconds | None = None
    """How long a `stall` lasts before the connection is closed; left out: for ever."""
    body: str | None = None
    """What `garbage` sends; left out: a proxy's HTML page."""
    form: ErrorEventForm = "flat"
    """Responses only: documented `error` event, the nested one, or `response.failed`."""


class Tool(Struct, frozen=True, forbid_unknown_fields=True):
    """A tool call to answer with."""

    name: str
    arguments: dict[str, Any] = {}


class Reply(Struct, frozen=True, forbid_unknown_fields=True):
    """What to answer instead of prose; what is left out stays as usual."""

    text: str | None = None
    tokens: Count | None = None
    """Length of the prose, where no `text` is given."""
    reasoning: str | None = None
    finish: Finish | None = None
    tool: Tool | None = None
    misfit: Misfit | None = None
    """Where a JSON schema was asked for: answer in prose, with a value of the wrong type, or
    without a property that is required."""


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """Conditions and what follows. All conditions must hold; the first rule that holds wins."""

    route: RouteName | None = None
    """A call of the batch services; left out: live requests and the rows of batches."""
    match: str | None = None
    """Regular expression, searched for in the prompt's text (system prompt included), or in the
    path where there is a `route`."""
    model: str | None = None
    """Regular expression for the whole name of the model."""
    attempts: PerMinute | None = None
    """Holds for the first so many requests with the same body (refusals do not count), or to the
    same path where there is a `route`."""
    rate: Share | None = None
    """Holds for this share of requests, drawn from seed, prompt (or path) and attempt."""
    reply: Reply | None = None
    fault: Fault | None = None
    speed: Speed | None = None


class Batch(Struct, frozen=True, forbid_unknown_fields=True):
    """How the batch services behave: OpenAI's (with its files) and Anthropic's alike."""

    validating_s: Seconds = 0.02
    processing_s: Seconds = 0.1
    """Rows are done one after the other in this time, in an order of their own."""
    finalizing_s: Seconds = 0.02
    cancelling_s: Seconds = 0.02
    transient_rate: Share = 0.0
    """Share of rows that fail with a server error; asked again, they throw the dice again."""
    permanent_rate: Share = 0.0
    """Share of prompts that are refused in any batch, whenever they are asked."""
    expired_rate: Share = 0.0
    """Share of rows never begun; with one of them, the 24 hours are over when the rest is done."""
    hidden_s: Seconds = 0.0
    """How long a new batch, and a new file, answers 404."""
    listing_lag_s: Seconds = 0.0
    """How long a new batch, and a new file, is missing from lists."""
    results_host: Literal["same", "own", "foreign"] = "same"
    """Where Anthropic's `results_url` points: this address, a second port of this server, or a
    trap under another host name that counts who brings a key."""
    failed_uploads: Count = 0
    """The first so many uploads of rows are cut off midway, and nothing comes of them."""
    lost_creates: Count = 0
    """The first so many new batches exist, but the connection breaks before the answer."""
    max_rows: PerMinute | None = None
    """Left out: 50,000 a file (OpenAI), 100,000 a batch (Anthropic)."""
    max_bytes: PerMinute | None = None
    """Left out: 200 MB (OpenAI), 256 MB (Anthropic)."""
    max_queued_tokens: PerMinute | None = None
    """OpenAI: prompt tokens that may wait in all batches of a model; left out: any number."""


class Flex(Struct, frozen=True, forbid_unknown_fields=True):
    """Live requests with OpenAI's `service_tier: "flex"`."""

    no_capacity_rate: Share = 0.0
    """Share refused with 429 `resource_unavailable`, drawn anew each time it is asked."""
    default_rate: Share = 0.0
    """Share answered at the default tier, as `service_tier` in the answer says."""
    models: list[str] | None = None
    """The only models that have it; left out: all."""


class Scenario(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole scenario file."""

    description: str = ""
    seed: int = 0
    models: list[str] | None = None
    """The only models there are; left out: any name but `unknown...`."""
    unknown_models: list[str] = []
    """Models that do not exist, beside those whose name begins with `unknown`."""
    answer: AnswerLength = AnswerLength()
    speed: Speed = Speed()
    limits: Limits = Limits()
    limits_after: list[LaterLimits] = []
    batch: Batch = Batch()
    flex: Flex = Flex()
    rules: list[Rule] = []
