"""Ask by worker processes and without, and say what came in the same words."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio

from runner.config import Config, ProviderConfig
from runner.errors import ProviderError
from runner.models import Api, Completion
from runner.providers.base import Provider
from runner.providers.registry import Opener, Providers
from runner.workers.remote import RemoteProviders
from tests.providers.asking import KEY, QUESTION

PATIENCE_S = 20.0
ENVIRON = {"TEST_KEY": KEY}


def config_of(urls: Mapping[Api, str], **settings: Any) -> Config:
    """Name the provider of each API after it."""
    return Config(
        providers={
            api: ProviderConfig(name=api, api=api, base_url=url, api_key_env="TEST_KEY", **settings)
            for api, url in urls.items()
        }
    )


@asynccontextmanager
async def by_workers(config: Config, processes: int = 1) -> AsyncIterator[RemoteProviders]:
    """Open with worker processes."""
    async with RemoteProviders(
        config, processes=processes, concurrency=8, environ=ENVIRON
    ) as providers:
        yield providers


@asynccontextmanager
async def by_itself(config: Config) -> AsyncIterator[Providers]:
    """Open without."""
    async with Providers(config, concurrency=8, http="aiohttp", environ=ENVIRON) as providers:
        yield providers


async def outcome(
    opener: Opener, api: Api, *, streamed: bool, timeout_s: float = 5.0
) -> dict[str, Any]:
    """Ask once, and give all that is known of how it ended."""
    provider = await opener.get(api, "m")
    body = provider.body("m", QUESTION, stream=streamed)
    with anyio.fail_after(PATIENCE_S):
        try:
            completion = await _ask(provider, body, timeout_s, streamed=streamed)
        except ProviderError as error:
            told = vars(error) | {"completion": None}
            came = error.completion
            return {"error": type(error).__name__, **told, "came": came and _plain(came)}
    return {"error": None, "came": _plain(completion)}


async def _ask(
    provider: Provider, body: dict[str, Any], timeout_s: float, *, streamed: bool
) -> Completion:
    if not streamed:
        return await provider.complete(body, timeout_s=timeout_s)
    assembly = provider.assembly()
    events = provider.stream(body, assembly, timeout_s=timeout_s, idle_s=timeout_s)
    async with aclosing(events) as deltas:
        async for _ in deltas:
            pass
    return assembly.completion()


def _plain(completion: Completion) -> dict[str, Any]:
    found = {name: getattr(completion, name) for name in Completion.__struct_fields__}
    found["response"] = None if completion.response is None else bytes(completion.response)
    return found


def children(pid: int | None = None) -> list[int]:
    """Ask the system for the workers of a process, by default of this one."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                stat = (folder / "stat").read_text().rpartition(")")[2].split()
                line = (folder / "cmdline").read_bytes()
            except OSError:  # it has gone meanwhile
                continue
            if int(stat[1]) == (pid or os.getpid()) and b"runner.workers.worker" in line:
                found.append(int(folder.name))
    return sorted(found)
