"""Answers that nobody asked for, on connections that are kept: never taken for the next one's."""

from contextlib import AsyncExitStack
from typing import Any

import anyio
import pytest

from runner.models import Api, Request
from runner.providers.transport import Http
from tests.providers.asking import APIS, HTTPS, complete, provider_at
from tests.providers.chatty import Chatty, Moment, chatty

pytestmark = pytest.mark.anyio

MOMENTS: tuple[Moment, ...] = (
    "with it",
    "with its end",
    "begun",
    "halves",
    "unread",
    "idle",
    "eof",
)
JOBS = 4


async def answers(
    api: Api,
    http: Http,
    moment: Moment,
    *,
    length: int = 1,
    torn_at: int = 30,
    proxied: pytest.MonkeyPatch | None = None,
) -> tuple[list[Any], Chatty]:
    """Ask several questions one after the other; each answer has `length` characters."""
    texts = []
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(chatty(api, moment, torn_at))
        url = f"http://127.0.0.1:{server.port}"
        if proxied is not None:
            proxied.setenv("HTTP_PROXY", url)
            url = "http://provider.test"
        provider = await stack.enter_async_context(provider_at(url, api, http))
        for number in range(JOBS):
            question = Request(
                messages=[{"role": "user", "content": "?"}],
                params={"metadata": {"q": f"{number}" * length}},
            )
            with anyio.fail_after(10):
                texts.append((await complete(provider, question)).text)
            server.more()
            if moment in ("idle", "begun"):  # the client is to read it before it asks again
                await anyio.sleep(0.02)
    return texts, server


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("http", HTTPS)
@pytest.mark.parametrize("api", APIS)
async def test_unasked_answer(api: Api, http: Http, moment: Moment) -> None:
    """What a server sends unasked is nobody's answer, whenever it comes, and costs no attempt."""
    texts, server = await answers(api, http, moment)
    assert texts == [str(number) for number in range(JOBS)]
    assert server.asked == JOBS


@pytest.mark.parametrize("length", [65_000, 600_000])
@pytest.mark.parametrize("moment", ["with it", "with its end", "begun", "halves", "idle"])
@pytest.mark.parametrize("http", HTTPS)
async def test_unasked_answer_behind_a_long_one(http: Http, moment: Moment, length: int) -> None:
    """The same where an answer is longer than what a library holds at a time."""
    texts, _ = await answers("openai", http, moment, length=length)
    assert texts == [f"{number}" * length for number in range(JOBS)]


@pytest.mark.parametrize("torn_at", [1, 4, 12, 17, 40, 90])
@pytest.mark.parametrize("moment", ["begun", "halves"])
async def test_unasked_answer_that_is_torn(moment: Moment, torn_at: int) -> None:
    """The same wherever its head, or its body, is torn."""
    texts, _ = await answers("openai", "aiohttp", moment, torn_at=torn_at)
    assert texts == [str(number) for number in range(JOBS)]


@pytest.mark.parametrize("api", APIS)
async def test_unasked_answer_by_a_proxy(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections to a proxy are looked at, too, and are kept."""
    for name in ("http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "elsewhere.test")
    texts, server = await answers(api, "aiohttp", "unread", proxied=monkeypatch)
    assert texts == [str(number) for number in range(JOBS)]
    assert server.connections == JOBS
    _, server = await answers(api, "aiohttp", "never", proxied=monkeypatch)
    assert server.connections == 1


@pytest.mark.parametrize("api", APIS)
async def test_connection_is_kept(api: Api) -> None:
    """A server that says what it was asked, and no more, is asked on one connection."""
    _, server = await answers(api, "aiohttp", "never")
    assert server.connections == 1
