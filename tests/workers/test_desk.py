"""Promises of a worker, asked in this process over its pipe."""

import asyncio
import pickle
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import anyio
import msgspec
import pytest

from runner.errors import ProviderError
from runner.providers.exchange import HttpProvider
from runner.providers.places import Places
from runner.workers import worker as worker_module
from runner.workers.channel import Channel, join
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
    encode,
    failure_of,
    from_worker,
)
from runner.workers.worker import work
from tests.providers.asking import CUTS, written
from tests.providers.bodies import STREAMED, WHOLE
from tests.providers.raw_server import RawServer, Reply, answer, raw_server, stream
from tests.workers.asking import ENVIRON, config_of

pytestmark = pytest.mark.anyio

HOLD = Reply((), "hold")
GOOD = answer(WHOLE["openai"], ending="close")
BODY = msgspec.json.encode({"model": "m", "messages": []})
M = TypeVar("M", bound=FromWorker)


class Desk:
    """A worker, and what it has said."""

    channel: Channel

    def __init__(self) -> None:
        self._said, self._heard = anyio.create_memory_object_stream[FromWorker](100)
        self.left = anyio.Event()

    def take(self, data: bytes) -> None:
        """Hear it."""
        self._said.send_nowait(from_worker(data))

    def say(self, message: ToWorker) -> None:
        """Say something to it."""
        self.channel.send(encode(message))

    async def hears(self, kind: type[M]) -> M:
        """Wait for what it says next."""
        with anyio.fail_after(10):
            message = await self._heard.receive()
        assert isinstance(message, kind), message
        return message

    def close(self) -> None:
        """Hear no more."""
        self._said.close()
        self._heard.close()


@asynccontextmanager
async def desk_at(url: str) -> AsyncIterator[Desk]:
    """Have a worker that has opened one provider, as number 3."""
    here, there = socket.socketpair()
    desk, config = Desk(), config_of({"openai": url})
    async with anyio.create_task_group() as group:
        group.start_soon(work, there, 4, desk.left.set)
        desk.channel = await join(here, desk.take, lambda: None)
        place = await Places(config, ENVIRON).find(config.providers["openai"], "m")
        desk.say(Open(3, pickle.dumps((config.providers["openai"], place))))
        yield desk
        group.cancel_scope.cancel()
    desk.channel.close()
    desk.close()


def ask(number: int, *, streamed: bool = False) -> Ask:
    """Ask the only provider."""
    body = msgspec.json.encode({"model": "m", "messages": [], "stream": True}) if streamed else BODY
    return Ask(number, 3, body, 5.0, 5.0 if streamed else None)


@asynccontextmanager
async def worker(*replies: Reply) -> AsyncIterator[tuple[Desk, RawServer]]:
    """Have a worker before a server."""
    async with raw_server(*replies) as server, desk_at(server.url) as desk:
        assert await desk.hears(Opened) == Opened(3, None)
        yield desk, server


async def test_answers_and_failures() -> None:
    """It tells of each request once, by its number."""
    refusal = answer({"error": {"message": "no"}}, status=400, ending="close")
    async with worker(GOOD, refusal) as (desk, _):
        desk.say(ask(1))
        done = await desk.hears(Done)
        assert (done.number, done.answer.text) == (1, "Hi")
        desk.say(ask(2))
        failed = await desk.hears(Failed)
        assert (failed.number, failed.kind, failed.message) == (2, "invalid_request", "no")


async def test_a_stream_tells_of_its_first_words_and_of_its_end() -> None:
    """What comes in between is gathered, and told as a whole."""
    async with worker(stream(written("openai", STREAMED["openai"]), ending="close")) as (desk, _):
        desk.say(ask(1, streamed=True))
        assert await desk.hears(Began) == Began(1)
        assert (await desk.hears(Done)).answer.text == "Hi"


async def test_a_cut_stream_tells_what_had_come() -> None:
    """Cut off, the text so far is told, and the server let go."""
    begun = written("openai", STREAMED["openai"][: CUTS["openai"]])
    async with worker(stream(begun, terminated=False, ending="hold")) as (desk, server):
        desk.say(ask(1, streamed=True))
        await desk.hears(Began)
        await anyio.sleep(0.05)  # both letters leave the server at once
        desk.say(Cancel(1))
        done = await desk.hears(Done)
        assert (done.answer.text, done.answer.finish_reason) == ("Hi", None)
        with anyio.fail_after(5):
            await server.gone.wait()


async def test_every_cut_is_answered() -> None:
    """Who cuts a request off hears of it, at whatever moment; what is over already is passed by."""
    async with worker(HOLD, GOOD) as (desk, server):
        desk.say(ask(1))
        while not server.requests:  # noqa: ASYNC110 - it is on its way
            await anyio.sleep(0.005)
        desk.say(Cancel(1))
        assert (await desk.hears(Done)).answer.text is None
        desk.say(ask(2))
        desk.say(Cancel(2))  # before it has begun
        assert (await desk.hears(Done)).number == 2
        desk.say(Cancel(2))
        desk.say(Cancel(99))
        desk.say(ask(3))
        assert (await desk.hears(Done)).number == 3


@pytest.mark.parametrize("odd", [ValueError("sk-secret"), {"text": "\ud83d"}])
async def test_a_bug_ends_one_request_and_not_the_worker(
    odd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody foresaw, even an answer that cannot be told, is a failure of that request."""
    good = HttpProvider.complete

    async def bad(*_: object, **__: object) -> Any:
        monkeypatch.setattr(HttpProvider, "complete", good)
        if isinstance(odd, Exception):
            raise odd
        from runner.models import Completion

        return Completion(**odd)

    async with worker(GOOD) as (desk, _):
        monkeypatch.setattr(HttpProvider, "complete", bad)
        desk.say(ask(1))
        failed = await desk.hears(Failed)
        assert (failed.number, failed.kind, failed.retryable) == (1, "internal", False)
        assert "secret" not in failed.message
        desk.say(ask(2))
        assert (await desk.hears(Done)).answer.text == "Hi"


async def test_what_a_stranger_cancels_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what the run cut off is told as what had come; any other end is a failure."""

    async def cancelled(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    async with worker(GOOD) as (desk, _):
        with monkeypatch.context() as patch:
            patch.setattr(HttpProvider, "complete", cancelled)
            desk.say(ask(1))
            failed = await desk.hears(Failed)
        assert (failed.number, failed.kind, failed.retryable) == (1, "internal", False)
        desk.say(ask(2))
        assert (await desk.hears(Done)).answer.text == "Hi"


async def test_a_cut_amid_another_cancellation_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off while a limit of the request's own is being seen to, it ends all the same."""
    unwinding, go_on = anyio.Event(), anyio.Event()

    async def unwind(*_: object, **__: object) -> None:
        async with asyncio.timeout(0.01):
            try:
                await anyio.sleep_forever()
            finally:
                unwinding.set()
                await go_on.wait()

    async with worker(GOOD) as (desk, _):
        monkeypatch.setattr(HttpProvider, "complete", unwind)
        desk.say(ask(1))
        await unwinding.wait()
        desk.say(Cancel(1))
        done = await desk.hears(Done)
    assert (done.number, done.answer.text) == (1, None)


async def test_an_answer_that_cannot_be_told_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Even where the words for a failure fail, whoever waits hears of the end."""
    real, calls = failure_of, iter((False, False, True))

    def failing(number: int, error: ProviderError) -> Failed:
        if next(calls):
            return real(number, error)
        raise ValueError("no words")

    refusal = answer({"error": {"message": "no"}}, status=400, ending="close")
    async with worker(refusal) as (desk, _):
        monkeypatch.setattr(worker_module, "failure_of", failing)
        desk.say(ask(1))
        failed = await desk.hears(Failed)
    assert (failed.number, failed.kind) == (1, "internal")


@pytest.mark.parametrize("error", [ImportError("no module"), FileNotFoundError(2, "no file")])
async def test_what_cannot_be_opened_is_told(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged package or missing certificates are words for the run, and end no worker."""
    from runner.providers import transport

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(transport, "_built", fail)
    async with desk_at("http://127.0.0.1:1") as desk:
        told = await desk.hears(Opened)
    assert told.provider == 3
    words = error.strerror if isinstance(error, OSError) else str(error)
    assert str(words) in (told.problem or "")


async def test_it_leaves_when_the_run_ends() -> None:
    """The end of the pipe is the end of the work, whatever is under way."""
    async with worker(HOLD) as (desk, _):
        desk.say(ask(1))
        desk.channel.close()
        with anyio.fail_after(5):
            await desk.left.wait()
