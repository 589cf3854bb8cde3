"""What a worker says is what it meant: every field arrives as it left."""

import typing

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from runner.errors import ProviderError
from runner.models import Completion, ErrorKind, FinishReason, InterruptionReason, Usage
from runner.quota import Gauge, Quota
from runner.workers.messages import (
    Ask,
    Began,
    Cancel,
    Done,
    Failed,
    FromWorker,
    Open,
    Opened,
    ToWorker,
    answer_of,
    completion_of,
    encode,
    error_of,
    failure_of,
    from_worker,
    to_worker,
)

numbers = st.integers(0, 1 << 40)
words = st.none() | st.text(max_size=20)
seconds = st.none() | st.floats(0, 1e9)
counts = st.none() | st.integers(0, 10**15)
usages = st.builds(
    Usage,
    input_tokens=counts,
    output_tokens=counts,
    cached_input_tokens=counts,
    cache_write_tokens=counts,
    cache_write_1h_tokens=st.just(UNSET) | st.integers(0, 10**15),
    reasoning_tokens=counts,
    total_tokens=counts,
    complete=st.booleans(),
)
gauges = st.builds(Gauge, limit=counts, remaining=counts, reset_s=seconds)
quotas = st.builds(Quota, requests=gauges, tokens=gauges, input_tokens=gauges, output_tokens=gauges)
completions = st.builds(
    Completion,
    text=words,
    finish_reason=st.none() | st.sampled_from(typing.get_args(FinishReason)),
    usage=st.none() | usages,
    response_model=words,
    response=st.none() | st.binary(max_size=30).map(Raw),
    request_id=words,
    quota=st.none() | quotas,
)
errors = st.builds(
    ProviderError,
    st.sampled_from(typing.get_args(ErrorKind)),
    st.text(max_size=20),
    retryable=st.booleans(),
    fatal=st.booleans(),
    http_status=st.none() | st.integers(100, 599),
    code=words,
    request_id=words,
    retry_after_s=seconds,
    interruption=st.none() | st.sampled_from(typing.get_args(InterruptionReason)),
    completion=st.none() | completions,
    unsent=st.booleans(),
    quota=st.none() | quotas,
)


def plain(completion: Completion | None) -> object:
    """A completion, to be compared: raw bytes are not equal by themselves."""
    if completion is None:
        return None
    raw = completion.response
    values = {name: getattr(completion, name) for name in Completion.__struct_fields__}
    return {**values, "response": None if raw is None else bytes(raw)}


@given(completions)
def test_an_answer_arrives_whole(completion: Completion) -> None:
    """No field of a completion is lost or changed on its way."""
    told = from_worker(encode(Done(7, answer_of(completion))))
    assert isinstance(told, Done)
    assert told.number == 7
    assert plain(completion_of(told.answer)) == plain(completion)


@given(errors)
def test_a_failure_arrives_whole(error: ProviderError) -> None:
    """No field of a `ProviderError` is lost or changed on its way."""
    told = from_worker(encode(failure_of(7, error)))
    assert isinstance(told, Failed)
    assert told.number == 7
    came = error_of(told)
    assert {**vars(came), "completion": plain(came.completion)} == {
        **vars(error),
        "completion": plain(error.completion),
    }
    assert str(came) == str(error)


def test_nothing_of_an_answer_stays_behind() -> None:
    """Whoever adds a field to `Completion` must send it, too."""
    told = answer_of(Completion())
    judged = {"parsed"}  # by the process that decides, when the answer has come
    assert [*told.__struct_fields__] == [
        name for name in Completion.__struct_fields__ if name not in judged
    ]


@given(
    st.builds(Open, numbers, st.binary(max_size=9))
    | st.builds(Ask, numbers, numbers, st.binary(max_size=9), st.floats(0, 1e9), seconds)
    | st.builds(Cancel, numbers)
)
def test_what_a_run_says(message: ToWorker) -> None:
    """Each message of a run is read as what it is."""
    assert to_worker(encode(message)) == message


@given(st.builds(Opened, numbers, words) | st.builds(Began, numbers))
def test_what_a_worker_says(message: FromWorker) -> None:
    """Each message of a worker is read as what it is."""
    assert from_worker(encode(message)) == message


@given(st.binary(max_size=40))
def test_nonsense_is_refused(data: bytes) -> None:
    """Bytes that are no message raise what the pipe ends with, and are never taken for one."""
    try:
        message = from_worker(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return
    assert isinstance(message, FromWorker)
