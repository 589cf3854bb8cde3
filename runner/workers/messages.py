"""What a run and its workers say to each other, as records and as bytes. Pure data."""

import msgspec
from msgspec import Raw, Struct

from runner.errors import ProviderError
from runner.models import Completion, ErrorKind, FinishReason, InterruptionReason, Usage
from runner.quota import Quota


class Open(Struct, frozen=True, array_like=True, tag="open"):
    """Open a provider."""

    provider: int
    """Its number from now on."""
    pickled: bytes
    """Its `ProviderConfig` and `Endpoint`. They hold a key, and pass through memory alone."""


class Ask(Struct, frozen=True, array_like=True, tag="ask"):
    """Send a request."""

    number: int
    """Its number until it is done."""
    provider: int
    content: bytes
    """The body, as JSON."""
    timeout_s: float
    idle_s: float | None
    """Stream it, with so much between two events; None does not stream."""


class Cancel(Struct, frozen=True, array_like=True, tag="cancel"):
    """Cut a request off; what had come of a stream is told."""

    number: int


class Opened(Struct, frozen=True, array_like=True, tag="opened"):
    """A provider is open, or cannot be opened."""

    provider: int
    problem: str | None
    """Why not, for a person."""


class Began(Struct, frozen=True, array_like=True, tag="began"):
    """The first words of a streamed answer have come."""

    number: int


class Answer(Struct, frozen=True, array_like=True):
    """A `Completion` on its way."""

    text: str | None
    finish_reason: FinishReason | None
    usage: Usage | None
    response_model: str | None
    response: bytes | None
    request_id: str | None
    quota: Quota | None
    service_tier: str | None


class Done(Struct, frozen=True, array_like=True, tag="done"):
    """A request brought an answer, or was cut off, with what had come."""

    number: int
    answer: Answer


class Failed(Struct, frozen=True, array_like=True, tag="failed"):
    """A request failed: a `ProviderError` on its way."""

    number: int
    kind: ErrorKind
    message: str
    retryable: bool
    fatal: bool
    http_status: int | None
    code: str | None
    request_id: str | None
    retry_after_s: float | None
    interruption: InterruptionReason | None
    answer: Answer | None
    unsent: bool
    quota: Quota | None


ToWorker = Open | Ask | Cancel
FromWorker = Opened | Began | Done | Failed

encode = msgspec.msgpack.Encoder().encode
_to_worker = msgspec.msgpack.Decoder(ToWorker)
_from_worker = msgspec.msgpack.Decoder(FromWorker)


def to_worker(data: bytes) -> ToWorker:
    """Read what a run says."""
    message: ToWorker = _to_worker.decode(data)
    return message


def from_worker(data: bytes) -> FromWorker:
    """Read what a worker says."""
    message: FromWorker = _from_worker.decode(data)
    return message


def answer_of(completion: Completion) -> Answer:
    """Pack an answer."""
    return Answer(
        completion.text,
        completion.finish_reason,
        completion.usage,
        completion.response_model,
        None if completion.response is None else bytes(completion.response),
        completion.request_id,
        completion.quota,
        completion.service_tier,
    )


def completion_of(answer: Answer) -> Completion:
    """Unpack an answer."""
    return Completion(
        text=answer.text,
        finish_reason=answer.finish_reason,
        usage=answer.usage,
        response_model=answer.response_model,
        response=None if answer.response is None else Raw(answer.response),
        request_id=answer.request_id,
        quota=answer.quota,
        service_tier=answer.service_tier,
    )


def failure_of(number: int, error: ProviderError) -> Failed:
    """Pack a failure."""
    return Failed(
        number,
        error.kind,
        error.message,
        error.retryable,
        error.fatal,
        error.http_status,
        error.code,
        error.request_id,
        error.retry_after_s,
        error.interruption,
        None if error.completion is None else answer_of(error.completion),
        error.unsent,
        error.quota,
    )


def error_of(failed: Failed) -> ProviderError:
    """Unpack a failure."""
    return ProviderError(
        failed.kind,
        failed.message,
        retryable=failed.retryable,
        fatal=failed.fatal,
        http_status=failed.http_status,
        code=failed.code,
        request_id=failed.request_id,
        retry_after_s=failed.retry_after_s,
        interruption=failed.interruption,
        completion=None if failed.answer is None else completion_of(failed.answer),
        unsent=failed.unsent,
        quota=failed.quota,
    )
