"""Promises of the crew: workers that end, hang or never come up are replaced, or said so."""

import os
import signal
import stat
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import pytest

from runner.errors import ProviderError, UsageError
from runner.models import Api
from runner.workers import crew, member, process
from runner.workers.crew import Crew
from runner.workers.remote import RemoteProviders
from tests.processes.running import wait_until
from tests.providers.asking import CUTS, KEY, QUESTION, written
from tests.providers.bodies import STREAMED, WHOLE
from tests.providers.raw_server import RawServer, Reply, answer, raw_server, stream
from tests.workers.asking import by_workers, children, config_of, outcome

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]

HOLD = Reply((), "hold")
GOOD = answer(WHOLE["openai"])


async def ask(providers: RemoteProviders, api: Api = "openai") -> dict[str, Any]:
    """Ask once, and give how it ended."""
    return await outcome(providers, api, streamed=False, timeout_s=20.0)


async def asked(providers: RemoteProviders, into: list[dict[str, Any]]) -> None:
    """Ask once and note how it ended."""
    into.append(await ask(providers))


def known_of(pid: int) -> bytes:
    """Read what the system shows of a process: its command line and its environment."""
    folder = Path(f"/proc/{pid}")
    return (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()


def is_there(pid: int) -> bool:
    """Whether a process is there, or dead and not waited for."""
    return Path(f"/proc/{pid}").exists()


async def came(server: RawServer, requests: int) -> None:
    """Wait until so many requests have come."""
    with anyio.fail_after(10):
        while len(server.requests) < requests:  # noqa: ASYNC110 - another process sends them
            await anyio.sleep(0.005)


async def changed(before: list[int]) -> list[int]:
    """Wait until other workers are there, and give them."""
    with anyio.fail_after(10):
        while (found := children()) == before or len(found) != len(before):  # noqa: ASYNC110
            await anyio.sleep(0.01)  # the system can only be asked
    return found


async def test_a_killed_worker_is_replaced() -> None:
    """What it was asked is told as lost and worth asking again; the next one answers."""
    async with raw_server(HOLD, HOLD, GOOD) as server:
        async with by_workers(config_of({"openai": server.url})) as providers:
            await providers.get("openai", "m")
            lost: list[dict[str, Any]] = []
            (first,) = children()
            async with anyio.create_task_group() as group:
                group.start_soon(asked, providers, lost)
                group.start_soon(asked, providers, lost)
                await came(server, 2)
                os.kill(first, signal.SIGKILL)
            again = await ask(providers)
            (second,) = children()
        assert children() == []
    assert [(one["kind"], one["retryable"], one["unsent"]) for one in lost] == [
        ("internal", True, False)
    ] * 2
    assert "ended before the answer came" in lost[0]["message"]
    assert again["came"]["text"] == "Hi"
    assert second != first
    assert not is_there(first), "a dead worker was not buried"


async def test_whoever_answers_may_be_lost_as_often_as_it_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A long run goes on however many were lost; only a row of useless ones ends it, in words."""
    monkeypatch.setattr(crew, "_MOST_LOST", 1)
    monkeypatch.setattr(crew, "_PAUSE_S", 0.0)
    async with raw_server(GOOD) as server, by_workers(config_of({"openai": server.url})) as given:
        for _ in range(2):
            assert (await ask(given))["error"] is None
            pids = children()
            os.kill(pids[0], signal.SIGKILL)
            pids = await changed(pids)
        os.kill(pids[0], signal.SIGKILL)
        pids = await changed(pids)
        os.kill(pids[0], signal.SIGKILL)
        told = await ask(given)
    assert (told["kind"], told["fatal"], told["unsent"]) == ("internal", True, True)
    assert told["message"] == (
        "the worker processes end again and again: it was ended by signal 9."
        " With  --processes 1  none is needed."
    )


async def test_a_frozen_worker_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not even cut a request off is ended; meanwhile the other has the work."""
    monkeypatch.setattr(member, "STUCK_S", 0.3)
    monkeypatch.setattr(process, "_END_S", 0.2)
    async with raw_server(GOOD) as server, by_workers(config_of({"openai": server.url}), 2) as all_:
        await all_.get("openai", "m")
        before = children()
        frozen = all_._crew._members[0].process._process.pid
        (other,) = {*before} - {frozen}
        os.kill(frozen, signal.SIGSTOP)
        late = []
        for _ in range(2):  # one of them goes to each
            with anyio.move_on_after(0.5) as scope:
                await ask(all_)
            late.append(scope.cancelled_caught)
        # The frozen one still owes its word, so it is not the one that has least to do.
        assert (await ask(all_))["error"] is None
        after = await changed(before)
        assert (await ask(all_))["error"] is None
    assert sorted(late) == [False, True]
    assert other in after
    assert frozen not in after


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (None, "could not start: no such file or directory."),
        ("echo 'Traceback' >&2; echo 'ImportError: no module' >&2; exit 1", "ImportError: no mod"),
        ("kill -9 $$", "could not start: it was ended by signal 9."),
        ("exit 3", "could not start: it ended by itself, with code 3."),
        ("exec sleep 60", "could not start: nothing came of it within "),
    ],
)
async def test_a_worker_that_does_not_come_up_is_said_so(
    script: str | None,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Nothing is sent, nothing hangs, and no traceback is shown: one sentence says why."""
    python = tmp_path / "python"
    if script is not None:
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(stat.S_IRWXU)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr(crew, "_START_S", 1.0)
    monkeypatch.setattr(process, "_END_S", 0.1)
    with anyio.fail_after(10), pytest.raises(UsageError) as caught:
        async with by_workers(config_of({"openai": "http://127.0.0.1:1"}), 2) as providers:
            await providers.get("openai", "m")
    assert words in str(caught.value)
    assert "--processes 1" in str(caught.value)
    assert children() == []
    assert capfd.readouterr() == ("", "")


async def test_a_provider_that_cannot_be_opened_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates that are not there are the user's to mend, as with one process."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/at/all.pem")
    with anyio.fail_after(10), pytest.raises(UsageError) as caught:
        async with by_workers(config_of({"openai": "https://provider.test"})) as providers:
            await providers.get("openai", "m")
    assert "no connection to provider.test can be prepared" in str(caught.value)
    assert "SSL_CERT_FILE" in str(caught.value)


async def test_a_late_provider_is_opened_by_late_workers() -> None:
    """A provider that comes up while a worker is being replaced is known to the new one."""
    async with raw_server(GOOD) as one, raw_server(answer(WHOLE["anthropic"])) as two:
        config = config_of({"openai": one.url, "anthropic": two.url})
        async with by_workers(config) as providers:
            assert (await ask(providers))["error"] is None
            os.kill(children()[0], signal.SIGKILL)
            found = [await ask(providers, "anthropic")]
            found.append(await ask(providers))
    assert [one["error"] for one in found] == [None, None]


async def test_workers_hear_no_signal_and_show_no_key() -> None:
    """Not even in their first moments; the key passes to them through memory alone."""
    async with raw_server(GOOD) as server, by_workers(config_of({"openai": server.url}), 2) as all_:
        before = children()
        assert len(before) == 2
        for pid in before:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(pid, number)
            assert os.getsid(pid) == pid, "Ctrl-C and Ctrl-Z of the terminal would reach it"
        assert (await ask(all_))["error"] is None
        assert children() == before
        assert not [pid for pid in before if KEY.encode() in known_of(pid)]
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


async def test_work_is_shared_out_and_cut_off() -> None:
    """Whoever has least to do is asked; who asks no more has the connection closed."""
    async with raw_server(*[HOLD] * 6, GOOD) as server:
        async with by_workers(config_of({"openai": server.url}), 2) as providers:
            await providers.get("openai", "m")
            async with anyio.create_task_group() as group:
                for _ in range(6):
                    group.start_soon(asked, providers, [])
                await came(server, 6)
                assert [len(one.calls) for one in providers._crew._members] == [3, 3]
                group.cancel_scope.cancel()
            with anyio.fail_after(5):
                await server.gone.wait()
            assert (await ask(providers))["error"] is None
        assert children() == []


@pytest.mark.parametrize("frozen", [False, True])
async def test_a_stream_that_is_cut_keeps_what_had_come(
    frozen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled in mid-stream, the text so far is there; a worker that is stuck holds nobody up."""
    monkeypatch.setattr(crew, "_LAST_WORDS_S", 0.2 if frozen else 5.0)
    monkeypatch.setattr(process, "_END_S", 0.2)
    begun = written("openai", STREAMED["openai"][: CUTS["openai"]])
    reply = stream(begun, terminated=False, ending="hold")
    async with raw_server(reply) as server, by_workers(config_of({"openai": server.url})) as given:
        provider = await given.get("openai", "m")
        assembly, body = provider.assembly(), provider.body("m", QUESTION, stream=True)
        with anyio.fail_after(5), anyio.CancelScope() as scope:
            events = provider.stream(body, assembly, timeout_s=20, idle_s=20)
            async with aclosing(events) as deltas:
                async for _ in deltas:
                    # The second of the two letters may come a moment after the first.
                    await anyio.sleep(0.1)
                    if frozen:
                        os.kill(children()[0], signal.SIGSTOP)
                    scope.cancel()
        assert scope.cancelled_caught
        assert assembly.completion().text == (None if frozen else "Hi")


async def test_no_process_is_left_where_the_body_fails() -> None:
    """What goes wrong around a crew is raised as it was, and all workers end."""

    async def fail() -> None:
        async with Crew(2, 4):
            assert len(children()) == 2
            raise ProviderError("internal", "as it was", retryable=False)

    with pytest.raises(ProviderError, match="as it was"):
        await fail()
    wait_until(lambda: children() == [])
