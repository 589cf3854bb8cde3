"""Promises of the pipe between a run and a worker: whole messages, in order, and its end."""

import asyncio
import socket
from typing import Self

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.workers.channel import Channel, join

pytestmark = pytest.mark.anyio


class End:
    """One end of a pipe, and what came over it."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.came = asyncio.Event()
        self.ended = asyncio.Event()

    async def join(self, pipe: socket.socket) -> Self:
        """Begin."""
        self.channel = await join(pipe, self.take, self.ended.set)
        return self

    def take(self, message: bytes) -> None:
        """Note a message, if it is one."""
        if message == b"nonsense":
            raise ValueError("not a message")
        self.messages.append(message)
        self.came.set()

    async def wait_for(self, count: int) -> None:
        """Wait until so many messages have come."""
        with anyio.fail_after(10):
            while len(self.messages) < count:
                self.came.clear()
                await self.came.wait()


async def pair() -> tuple[End, End]:
    """Join both ends."""
    here, there = socket.socketpair()
    return await End().join(here), await End().join(there)


@given(
    messages=st.lists(st.binary(max_size=40), max_size=8),
    sizes=st.lists(st.integers(1, 9), min_size=1),
)
def test_messages_come_whole_however_they_are_cut(messages: list[bytes], sizes: list[int]) -> None:
    """Whatever pieces the system makes of them, messages arrive as they were sent, in order."""

    async def cut() -> list[bytes]:
        got: list[bytes] = []
        channel = Channel(got.append, lambda: None)
        data = b"".join(len(one).to_bytes(4, "big") + one for one in messages)
        at = number = 0
        while at < len(data):
            size = sizes[number % len(sizes)]
            channel.data_received(data[at : at + size])
            at, number = at + size, number + 1
        return got

    assert asyncio.run(cut()) == messages


async def test_long_messages_and_many_short_ones() -> None:
    """Five megabytes and ten thousand crumbs pass, both ways, though no pipe holds so much."""
    here, there = await pair()
    long, short = b"x" * 5_000_000, [b"%d" % number for number in range(10_000)]
    here.channel.send(long)
    for crumb in short:
        here.channel.send(crumb)
        there.channel.send(crumb)
    await there.wait_for(1 + len(short))
    await here.wait_for(len(short))
    assert there.messages == [long, *short]
    assert here.messages == short
    here.channel.close()
    await there.ended.wait()


async def test_what_was_sent_last_arrives_before_the_end() -> None:
    """Closing sends what waits first; afterwards nothing is sent, and nothing is raised."""
    here, there = await pair()
    here.channel.send(b"last words")
    here.channel.close()
    with anyio.fail_after(5):
        await there.ended.wait()
        await here.ended.wait()
    assert there.messages == [b"last words"]
    here.channel.send(b"too late")
    there.channel.send(b"too late")
    await asyncio.sleep(0)
    here.channel.close()
    assert here.messages == []


async def test_words_that_make_no_sense_end_the_pipe(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be understood ends the pipe for both, and tells nobody of it by a traceback."""
    here, there = await pair()
    for message in (b"sense", b"nonsense", b"more"):
        here.channel.send(message)
    with anyio.fail_after(5):
        await there.ended.wait()
        await here.ended.wait()
    assert there.messages == [b"sense"]
    assert capfd.readouterr().err == ""
    assert caplog.records == []
