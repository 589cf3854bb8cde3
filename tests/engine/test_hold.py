"""What is done while results cannot be written."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import pytest
from anyio.lowlevel import checkpoint

from runner.engine import hold as module
from runner.engine.hold import Hold
from runner.engine.stop import Stop
from runner.errors import WriteError
from runner.events import Event, WritesHeld, WritesResumed
from tests.engine.fakes import Bench, FakeJournal, FakeProvider, job, whole

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again soon."""
    monkeypatch.setattr(module, "RETRY_S", 0.01)


def full() -> WriteError:
    """The error of a full disk."""
    error = WriteError("no room")
    error.no_room = True
    return error


@dataclass
class FakeRoom:
    """Room that is kept, and may come back."""

    held: bool = True
    free: bool = False
    given: int = 0

    def give_back(self) -> bool:
        held, self.held = self.held, False
        self.given += held
        return held

    def regain(self) -> bool:
        self.held = self.free
        return self.free


@dataclass
class Table:
    """A hold that is watched over, and what it told."""

    patience_s: float = 5.0
    room: FakeRoom = field(default_factory=FakeRoom)
    stop: Stop = field(default_factory=Stop)
    told: list[Event] = field(default_factory=list)
    mend: Callable[[], None] = module.nothing_to_mend

    def __post_init__(self) -> None:
        self.hold = Hold(
            stop=self.stop,
            emit=self.told.append,
            room=self.room,
            mend=self.mend,
            patience_s=self.patience_s,
        )

    @asynccontextmanager
    async def watched(self) -> AsyncGenerator[None]:
        """Watch over it while the block works, 5 s at most."""
        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(self.hold.run)
                yield
                group.cancel_scope.cancel()


def failing(*errors: WriteError) -> Callable[[], Awaitable[None]]:
    """Give a write that fails so often; the last error again and again."""
    left = list(errors)

    async def attempt() -> None:
        await checkpoint()
        if left:
            raise left.pop(0)

    return attempt


async def never() -> None:
    """Fail for ever."""
    await checkpoint()
    raise WriteError("broken")


async def test_what_works_is_left_alone() -> None:
    """A write that succeeds shuts nothing and tells nothing."""
    table = Table()
    await table.hold.write(failing())
    assert await table.hold.passed() < 1
    assert (table.hold.shut, table.told) == (False, [])


async def test_trouble_that_passes() -> None:
    """The gate is shut while a write fails, and open again when it has succeeded."""
    table = Table()
    shut: list[bool] = []
    attempt = failing(WriteError("a"), WriteError("b"))

    async def watched_attempt() -> None:
        shut.append(table.hold.shut)
        await attempt()

    async with table.watched():
        await table.hold.write(watched_attempt)
        await table.hold.passed()
    assert shut == [False, True, True]
    assert [type(event) for event in table.told] == [WritesHeld, WritesResumed]
    assert table.hold.failure is None


async def test_time_is_over() -> None:
    """After its time the write raises its last error, the run is cut off, and it says why."""
    table = Table(patience_s=0.05)
    async with table.watched():
        with pytest.raises(WriteError, match="broken"):
            await table.hold.write(never)
        assert str(table.hold.failure) == "broken"
        assert table.stop.cut
        with pytest.raises(WriteError):
            await table.hold.write(never)


@pytest.mark.parametrize("final", [True, False])
async def test_no_use_in_waiting(final: bool) -> None:
    """What nothing can mend, and a hold without patience, raise at once and tell nothing."""
    error = WriteError("gone")
    error.final = final
    table = Table(patience_s=5.0 if final else 0.0)
    with pytest.raises(WriteError, match="gone"):
        await table.hold.write(failing(error))
    assert table.told == []


async def test_kept_room_takes_what_is_on_its_way() -> None:
    """Room is given back first, and nothing new is sent until there is so much again."""
    table = Table()
    async with table.watched():
        await table.hold.write(failing(full()))
        assert (table.room.given, table.hold.shut) == (1, True)
        await table.hold.write(failing())
        await anyio.sleep(0.05)  # several looks
        assert table.hold.shut
        table.room.free = True
        await table.hold.passed()
    assert table.room.held


async def test_room_that_never_comes_back() -> None:
    """Also where all that came could be written, the run ends with the cause when time is over."""
    table = Table(patience_s=0.05)
    async with table.watched():
        await table.hold.write(failing(full()))
        with table.stop.working:
            await anyio.sleep_forever()
    assert str(table.hold.failure) == "no room"


async def test_requests_that_cannot_be_noted() -> None:
    """The gate opens when a note can be written, and not before."""
    tries: list[str] = []

    def mend() -> None:
        tries.append("")
        if len(tries) < 3:
            raise full()

    table = Table(mend=mend, room=FakeRoom(free=True))
    async with table.watched():
        table.hold.unnoted(WriteError("journal"))
        await table.hold.passed()
    assert len(tries) == 3
    assert table.room.given >= 1


async def test_stopped_while_it_waits() -> None:
    """A first signal lets waiting jobs go, a second ends the wait of the writer at once."""
    table = Table(patience_s=60.0)
    raised: list[WriteError] = []

    async def write() -> None:
        try:
            await table.hold.write(never)
        except WriteError as error:
            raised.append(error)

    async with table.watched(), anyio.create_task_group() as group:
        group.start_soon(write)
        while not table.hold.shut:
            await checkpoint()
        group.start_soon(table.hold.passed)
        await anyio.sleep(0.03)
        table.stop.drain("sigterm")
        await table.hold.passed()
        assert not raised
        table.stop.cancel("sigterm")
    assert len(raised) == 1
    assert table.hold.failure is None  # the code of the signal stands unless the writer has failed


@dataclass
class FullJournal(FakeJournal):
    """Cannot note the first requests."""

    fails: int = 2

    def sent(self, job_id: str, digest: str, at: str) -> None:
        if self.fails:
            self.fails -= 1
            raise WriteError("journal")
        super().sent(job_id, digest, at)


async def test_a_job_that_could_not_be_noted_is_asked_later() -> None:
    """No request goes out without a note; the job waits and is asked once, as its first attempt."""
    provider = FakeProvider(lambda prompt, number: whole(prompt))
    bench = Bench(provider, journal=FullJournal(), concurrency=1)
    results = await bench.run([job("a"), job("b")])
    assert {name: result.status for name, result in results.items()} == {
        "a": "succeeded",
        "b": "succeeded",
    }
    assert provider.asked == {"a": 1, "b": 1}
    assert [len(result.attempts) for result in results.values()] == [1, 1]
