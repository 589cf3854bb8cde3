"""Promises of the event loop: lookups as ever, and nothing waits for one that is stuck."""

import socket
import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from runner.looping import run_async


async def look_up(host: str, port: int | str) -> list[Any]:
    """Look a name up as clients do."""
    return list(await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def test_a_name_is_looked_up() -> None:
    """What the system says comes back, and so does its failure."""
    assert ("127.0.0.1", 80) in [entry[4] for entry in run_async(look_up, "127.0.0.1", 80)]
    with pytest.raises(socket.gaierror):
        run_async(look_up, "127.0.0.1", "no-such-service")


@pytest.mark.parametrize("late", [list, lambda: 1 / 0])
def test_nothing_waits_for_a_stuck_lookup(
    late: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is cancelled at once, the loop ends without it, and its late answer harms nobody."""
    go_on, threads = threading.Event(), []

    def stuck(*_: object) -> Any:
        threads.append(threading.current_thread())
        go_on.wait()
        return late()

    monkeypatch.setattr(socket, "getaddrinfo", stuck)

    async def give_up() -> bool:
        with anyio.move_on_after(0.05) as scope:
            await look_up("a.example", 80)
        with anyio.move_on_after(0.05):
            await look_up("b.example", 80)
        return scope.cancelled_caught

    assert run_async(give_up)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert len(threads) == 2
    assert not any(thread.is_alive() for thread in threads)


def test_a_late_answer_within_the_loop_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that nobody waits for any more changes nothing while the loop goes on."""
    go_on, threads = threading.Event(), []

    def stuck(*_: object) -> Any:
        threads.append(threading.current_thread())
        go_on.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", stuck)

    async def go_on_after_giving_up() -> str:
        with anyio.move_on_after(0.05):
            await look_up("a.example", 80)
        go_on.set()
        threads[0].join(10)
        await anyio.wait_all_tasks_blocked()
        return "still here"

    assert run_async(go_on_after_giving_up) == "still here"
