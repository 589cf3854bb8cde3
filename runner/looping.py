"""The event loop of a run, in which a stuck resolver holds up nothing but its own requests."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar, TypeVarTuple

import anyio

_Value = TypeVar("_Value")
_Arguments = TypeVarTuple("_Arguments")


def run_async(
    function: Callable[[*_Arguments], Awaitable[_Value]], *arguments: *_Arguments
) -> _Value:
    """Run an async function to its end in a loop of its own."""
    return anyio.run(function, *arguments, backend_options={"loop_factory": Loop})


class Loop(asyncio.SelectorEventLoop):
    """An event loop with a thread of its own for each lookup of a name.

    asyncio makes them in the few threads that read and write files as well, and waits for all of
    these at its end. A lookup cannot be cancelled, and a resolver may take minutes.
    """

    async def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - the base's signature
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        """Look up addresses; cancelling takes effect at once."""
        found: asyncio.Future[list[Any]] = self.create_future()
        ask = partial(socket.getaddrinfo, host, port, family, type, proto, flags)
        # Nothing waits for a daemon, not even the interpreter's end.
        threading.Thread(
            target=_look_up, args=(ask, self, found), name="lookup", daemon=True
        ).start()
        return await found


def _look_up(
    ask: Callable[[], list[Any]],
    loop: asyncio.AbstractEventLoop,
    found: "asyncio.Future[list[Any]]",
) -> None:
    addresses: list[Any] = []
    failure: Exception | None = None
    try:
        addresses = ask()
    except Exception as error:  # noqa: BLE001 - raised where it is awaited
        failure = error

    def settle() -> None:
        if found.done():  # nobody waits any more
            return
        if failure is None:
            found.set_result(addresses)
        else:
            found.set_exception(failure)

    with suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(settle)
