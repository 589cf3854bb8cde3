"""Providers opened on demand, with what was meant for them and nothing else; simulators too."""

import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from runner.config import BUILT_IN_PROVIDERS, Config, ProviderConfig
from runner.errors import UsageError
from runner.providers.registry import Providers
from runner.providers.sim import SimulatorChild
from tests.providers.asking import APIS, QUESTION, complete, watch
from tests.providers.bodies import WHOLE
from tests.providers.raw_server import answer, raw_server

pytestmark = pytest.mark.anyio

SIM_OF = {"openai": "sim", "openai-responses": "sim-responses", "anthropic": "sim-anthropic"}


def opened(config: Config, environ: dict[str, str] | None = None) -> Providers:
    """Make a registry."""
    return Providers(config, concurrency=4, http="httpx2", environ=environ or {})


@pytest.mark.parametrize("api", APIS)
async def test_ambient_settings_reach_only_the_built_in(
    api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys, organisation and headers in the environment do not go to a server of one's own."""
    leaks = {
        "OPENAI_API_KEY": "leak-key",
        "OPENAI_ADMIN_KEY": "leak-admin",
        "OPENAI_ORG_ID": "leak-org",
        "OPENAI_PROJECT_ID": "leak-project",
        "OPENAI_CUSTOM_HEADERS": "x-leak: leak-header",
        "OPENAI_LOG": "debug",
        "ANTHROPIC_API_KEY": "leak-key",
        "ANTHROPIC_AUTH_TOKEN": "leak-token",
        "ANTHROPIC_CUSTOM_HEADERS": "x-leak: leak-header",
        "ANTHROPIC_LOG": "debug",
    }
    for name, value in leaks.items():
        monkeypatch.setenv(name, value)
    async with raw_server(answer(WHOLE[api])) as server:
        mine = ProviderConfig(name="mine", api=api, base_url=server.url)  # type: ignore[arg-type]  # parametrized
        async with opened(Config(providers={"mine": mine}), dict(os.environ)) as providers:
            await complete(await providers.get("mine", "m"))
    assert not [value for value in server.requests[0].headers.values() if "leak" in value]
    assert os.environ["OPENAI_API_KEY"] == "leak-key"


async def test_ambient_settings_reach_the_built_in() -> None:
    """The built-in provider sends what the SDK's users set."""
    async with raw_server(answer(WHOLE["openai"])) as server:
        environ = {
            "OPENAI_API_KEY": "sk-mine",
            "OPENAI_BASE_URL": f"{server.url}/v9/",
            "OPENAI_ORG_ID": "org",
            "OPENAI_PROJECT_ID": "proj",
            "OPENAI_CUSTOM_HEADERS": "x-gateway: here",
        }
        async with opened(Config(), environ) as providers:
            assert (await complete(await providers.get("openai", "m"))).text == "Hi"
    (request,) = server.requests
    assert request.target == "/v9/chat/completions"
    wanted = {
        "authorization": "Bearer sk-mine",
        "openai-organization": "org",
        "openai-project": "proj",
        "x-gateway": "here",
    }
    assert wanted.items() <= request.headers.items()


async def test_opened_once() -> None:
    """Asked twice, also at once, a provider is opened once."""
    mine = ProviderConfig(name="mine", api="openai", base_url="http://127.0.0.1:9")
    found = []
    async with opened(Config(providers={"mine": mine})) as providers:

        async def get(model: str) -> None:
            found.append(await providers.get("mine", model))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(get, "a")
            tasks.start_soon(get, "b")
    assert found[0] is found[1]
    assert (found[0].name, found[0].api) == ("mine", "openai")


async def test_what_is_missing_is_said() -> None:
    """A missing key and an unknown provider are errors for a person."""
    async with opened(Config()) as providers:
        with pytest.raises(UsageError, match="no key for openai"):
            await providers.get("openai", "m")
        with pytest.raises(UsageError, match="no provider is called other"):
            await providers.get("other", "m")


async def test_sdks_do_not_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDKs' own logging stays off, whatever their variables say."""
    mine = ProviderConfig(name="mine", api="openai", base_url="http://127.0.0.1:9")
    async with opened(Config(providers={"mine": mine})) as providers:
        await providers.get("mine", "m")
    for name in ("openai", "anthropic", "httpx2", "httpcore2"):
        assert not logging.getLogger(name).isEnabledFor(logging.ERROR)


async def test_apis_agree() -> None:
    """The three APIs, streamed or not, give the same answer to the same question."""
    answers = set()
    async with opened(Config(providers=BUILT_IN_PROVIDERS)) as providers:
        for name in SIM_OF.values():
            provider = await providers.get(name, "steady")
            whole = await complete(provider)
            assembly = provider.assembly()
            body = provider.body("steady", QUESTION, stream=True)
            shown = [
                delta.text async for delta in provider.stream(body, assembly, timeout_s=9, idle_s=9)
            ]
            streamed = assembly.completion()
            assert "".join(shown) == streamed.text
            for completion in (whole, streamed):
                answers.add((completion.text, completion.finish_reason, str(completion.usage)))
                assert completion.request_id
    assert len(answers) == 1


async def test_assembled_bodies_fit_the_sdk_types() -> None:
    """A streamed answer is recorded in the shape that the SDK's own types accept."""
    from anthropic.types import Message
    from openai.types.chat import ChatCompletion
    from openai.types.responses import Response

    types: dict[str, Any] = {
        "sim": ChatCompletion,
        "sim-responses": Response,
        "sim-anthropic": Message,
    }
    async with opened(Config()) as providers:
        for name, kind in types.items():
            watched = await watch(await providers.get(name, "steady"))
            assert watched.completion.response is not None
            body = kind.model_validate_json(bytes(watched.completion.response))
            assert body.model == "m"


async def test_simulators_end_with_the_registry() -> None:
    """One simulator serves the three APIs of a scenario and ends with them."""
    async with opened(Config()) as providers:
        for name in SIM_OF.values():
            await providers.get(name, "steady")
        (child,) = providers._places._children.values()
        assert child._process.poll() is None
    assert child._process.poll() is not None


async def test_bad_scenario_is_said() -> None:
    """A scenario that does not exist is an error in the simulator's own words."""
    async with opened(Config()) as providers:
        with pytest.raises(UsageError, match=r"could not start with 'no-such-thing': .*"):
            await providers.get("sim", "no-such-thing")
        assert not providers._places._children


async def test_simulator_that_says_nothing(tmp_path: Path) -> None:
    """A simulator that never gets ready is given up and ended, by force if need be."""
    script = tmp_path / "mute.py"
    script.write_text("import time\nwhile True: time.sleep(9)")
    child = SimulatorChild("steady", command=(str(script),))
    with pytest.raises(UsageError, match=r"did not start within 0 seconds"):
        await child.ready(timeout_s=0.1)
    assert child._process.poll() is not None
    child.close()


def test_simulator_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    """A killed parent leaves no simulator behind."""
    code = (
        "import anyio, os\n"
        "from runner.providers.sim import SimulatorChild\n"
        "child = SimulatorChild('steady')\n"
        "anyio.run(child.ready)\n"
        "print(child._process.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -9
    until = time.monotonic() + 5
    while _runs(int(done.stdout)):
        assert time.monotonic() < until, "the simulator outlived its parent"
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False)
    return listed.stdout.strip()[:1] not in (b"", b"Z")


@pytest.mark.parametrize("http", ["aiohttp", "httpx2"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SSL_CERT_FILE", "/nowhere/at/all.pem"),
        ("SSL_CERT_FILE", __file__),
        ("HTTPS_PROXY", "foo:bar:baz"),
        ("HTTPS_PROXY", "gopher://ann:secret@proxy.test:1"),
    ],
)
async def test_what_the_environment_gets_wrong_is_said(
    http: Any, name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Certificates or a proxy that cannot be used are the user's to mend, and no bug of runner."""
    monkeypatch.setenv(name, text)
    config = ProviderConfig(name="own", api="openai", base_url="https://provider.test")
    async with Providers(
        Config(providers={"own": config}), concurrency=1, http=http, environ={}
    ) as providers:
        with pytest.raises(UsageError, match=r"no connection to provider\.test can") as caught:
            await providers.get("own", "m")
    assert name in str(caught.value)
    assert "secret" not in str(caught.value)
