"""The worker processes of a run: kept at their number, and asked in turn."""

import asyncio
import math
import pickle
from itertools import count
from types import TracebackType
from typing import Self

from anyio import (
    CancelScope,
    Event,
    create_task_group,
    current_time,
    fail_after,
    move_on_after,
    sleep,
)
from anyio.abc import TaskGroup

from runner.config import ProviderConfig
from runner.errors import ProviderError, UsageError
from runner.providers.endpoints import Endpoint
from runner.workers.due import Due
from runner.workers.member import Call, Member, Told, hire
from runner.workers.messages import Ask, Open, Opened

_START_S = 60.0
"""How long the workers have to come up before the first request."""
_LAST_WORDS_S = 1.0
"""How long a stream that is cut off is waited for to say what had come."""
_MOST_LOST = 3
"""So many workers in a row, for each that is wanted, may end without a single answer before none
is replaced."""
_PAUSE_S = 0.5
"""Before another is started where the last one was of no use."""
_ONE = "With  --processes 1  none is needed."


class Crew:
    """As many workers as were asked for. Use it as a context manager."""

    def __init__(self, size: int, concurrency: int) -> None:
        """`concurrency`: most requests in flight, over all workers."""
        self._size = size
        self._concurrency = concurrency
        self._members: list[Member] = []
        """All that live, those that are starting included."""
        self._numbers = count()
        self._providers: list[Open] = []
        self._begun = False
        """Set when the first provider is open: from then on whoever ends is replaced."""
        self._lost = 0
        self._why: str | None = None
        """Why there will be no other workers."""
        self._ending = False
        self._changed = Event()

    async def __aenter__(self) -> Self:
        """Start them. Raises UsageError where the system makes no more processes."""
        self._due = Due(self._end_late)
        self._group: TaskGroup = create_task_group()
        await self._group.__aenter__()
        try:
            for _ in range(self._size):
                await self._hire()
        except BaseException as error:
            await self._end()
            if isinstance(error, OSError):
                raise UsageError(_not_started(_reason(error))) from error
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._end()

    async def _end(self) -> None:
        self._ending = True
        self._due.close()
        with CancelScope(shield=True):
            async with create_task_group() as group:
                for member in self._members:
                    group.start_soon(member.aclose)
        self._group.cancel_scope.cancel()
        # What went wrong around it goes on as it is, and not as one of a group.
        await self._group.__aexit__(None, None, None)

    async def open(self, config: ProviderConfig, place: Endpoint) -> int:
        """Have all workers open a provider; give its number. Raises UsageError."""
        message = Open(len(self._providers), pickle.dumps((config, place)))
        self._providers.append(message)
        for member in self._members:
            member.send(message)
        try:
            with fail_after(_START_S):
                while not self._members or not self._all_have(message.provider):
                    if self._why is not None:
                        raise UsageError(self._why)
                    await self._changed.wait()
        except TimeoutError:
            raise UsageError(_not_started(f"nothing came of it within {_START_S:.0f}s")) from None
        if self._why is not None:
            raise UsageError(self._why)
        self._begun = True
        return message.provider

    def _all_have(self, provider: int) -> bool:
        return all(provider in member.opened for member in self._members)

    async def ask(
        self, provider: int, content: bytes, timeout_s: float, within_s: float = math.inf
    ) -> Told:
        """Have a request sent and wait for its answer.

        Raises ProviderError without any worker, and TimeoutError where no answer is there within
        `within_s`. It has the connection closed then, and when it is cancelled.
        """
        member = self._least_busy(provider)
        if member is None:
            until = current_time() + within_s
            with fail_after(within_s):
                member = await self._next(provider)
            within_s = max(0.0, until - current_time())
        number, call = self._begin(member, provider, content, timeout_s, None)
        self._due.add(number, within_s)
        try:
            return await call.told
        except (asyncio.CancelledError, TimeoutError):
            member.cut(number)
            member.forget(number)
            raise
        finally:
            self._due.remove(number)

    def _end_late(self, number: int) -> None:
        for member in self._members:
            if (call := member.calls.get(number)) is not None:
                call.fail(TimeoutError())

    async def watch(
        self, provider: int, content: bytes, timeout_s: float, idle_s: float
    ) -> "Watched":
        """Have a request sent whose answer is to be streamed, unseen."""
        member = await self._next(provider)
        number, call = self._begin(member, provider, content, timeout_s, idle_s)
        return Watched(number, member, call)

    def _begin(
        self, member: Member, provider: int, content: bytes, timeout_s: float, idle_s: float | None
    ) -> tuple[int, Call]:
        number = next(self._numbers)
        return number, member.ask(Ask(number, provider, content, timeout_s, idle_s))

    def _least_busy(self, provider: int) -> Member | None:
        able = [one for one in self._members if provider in one.opened]
        return min(able, key=_load, default=None)

    async def _next(self, provider: int) -> Member:
        """Find the worker that has least to do, or wait for one."""
        while (member := self._least_busy(provider)) is None:
            if self._why is not None:
                raise ProviderError("internal", self._why, retryable=True, fatal=True, unsent=True)
            await self._changed.wait()
        return member

    async def _hire(self) -> None:
        member = await hire(self._concurrency, self._heard, self._let_go)
        self._members.append(member)
        for message in self._providers:
            member.send(message)

    def _heard(self, member: Member, message: Opened) -> None:
        if message.problem is None:
            member.opened.add(message.provider)
        elif self._begun:
            member.process.kill()  # it would be there, and of no use
        else:
            self._why = message.problem
        self._tell()

    def _let_go(self, member: Member) -> None:
        if member in self._members:
            self._members.remove(member)
        if not self._ending:
            self._group.start_soon(self._replace, member)

    async def _replace(self, member: Member) -> None:
        """See one off that has ended by itself, and put another in its place."""
        with CancelScope(shield=True):
            reason = await member.aclose()
        self._lost = 0 if member.answered else self._lost + 1
        if not self._begun:
            self._why = self._why or _not_started(reason)
        while self._why is None and self._lost <= _MOST_LOST * self._size:
            if self._lost:
                await sleep(_PAUSE_S)
            try:
                await self._hire()
                return self._tell()
            except OSError as error:
                self._lost, reason = self._lost + 1, _reason(error)
        self._why = self._why or f"the worker processes end again and again: {reason}. {_ONE}"
        return self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = Event()


class Watched:
    """A streamed answer that a worker gathers."""

    def __init__(self, number: int, member: Member, call: Call) -> None:
        self._number = number
        self._member = member
        self._call = call

    async def began(self) -> bool:
        """Wait for the first words: True; False at the end where none came."""
        if self._call.began is None:
            raise TypeError("only a stream tells of its first words")
        return await asyncio.shield(self._call.began)

    async def told(self) -> Told:
        """Wait for the end."""
        return await asyncio.shield(self._call.told)

    async def cut(self) -> Told | None:
        """Cut it off, and give what had come, if the worker says so soon."""
        self._member.cut(self._number)
        with CancelScope(shield=True), move_on_after(_LAST_WORDS_S):
            return await asyncio.shield(self._call.told)
        self._member.forget(self._number)
        return None


def _load(member: Member) -> tuple[bool, int]:
    return member.load


def _not_started(reason: str) -> str:
    return f"a worker process could not start: {reason}.\n{_ONE}"


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
