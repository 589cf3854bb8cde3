"""`runner providers --test`: who is asked, what is learnt, and the exit code."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.cli.main import run
from tests.simulated import Endpoints, scenario_file, simulator_in_thread, stats

SCENARIO = """
[speed]
first_token_s = 0.005
tokens_per_second = 5000
[limits]
requests_per_minute = 60000
tokens_per_minute = 6000000
[[rules]]
model = "poor"
fault = { kind = "quota" }
"""


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator with limits that its headers tell."""
    scenario = scenario_file(tmp_path_factory.mktemp("scenario"), SCENARIO)
    with simulator_in_thread(scenario) as found:
        yield found


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoints: Endpoints) -> Path:
    """A folder whose configuration names three APIs of the simulator and one dead address."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "RUNNER_MODEL", "RUNNER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dead = unused.getsockname()[1]
    price = "prices = { input = 1, output = 2 }"
    (tmp_path / "runner.toml").write_text(
        f'[providers.chat]\napi = "openai"\nbase_url = "{endpoints.openai_base_url}"\n'
        f"[providers.chat.models.good]\n{price}\n"
        f'[providers.resp]\napi = "openai-responses"\nbase_url = "{endpoints.openai_base_url}"\n'
        f'[providers.mess]\napi = "anthropic"\nbase_url = "{endpoints.anthropic_base_url}"\n'
        f'[providers.dead]\napi = "openai"\nbase_url = "http://127.0.0.1:{dead}/v1"\n'
    )
    return tmp_path


def outcome(
    capfd: pytest.CaptureFixture[str], *words: str, code: int
) -> tuple[dict[str, dict[str, Any]], str]:
    """Test with `--json` and give what was found by provider, and what stderr said."""
    assert run(["providers", "--test", "--json", *words]) == code
    out, err = capfd.readouterr()
    found = json.loads(out)
    assert found["exit_code"] == code
    return {one["provider"]: one for one in found["providers"]}, err


def test_each_api_says_what_it_can(capfd: pytest.CaptureFixture[str], endpoints: Endpoints) -> None:
    """One request each: it answers, with usage, finish reason, cost where priced, and limits."""
    before = stats(endpoints)["requests"]
    found, err = outcome(capfd, "chat", "resp/m", "mess/m", code=0)
    assert stats(endpoints)["requests"] == before + 3
    assert "one request of about 10 tokens, and at most 16" in " ".join(err.split())
    assert [one["works"] for one in found.values()] == [True] * 3
    assert [one["reachable"] for one in found.values()] == [True] * 3
    assert [one["model"] for one in found.values()] == ["good", "m", "m"]
    for one in found.values():
        assert 0 < one["latency_s"] < 30
        assert 0 < one["usage"]["output_tokens"] <= 16
        assert one["finish_reason"] in ("stop", "length")
        assert one["limits"]["requests"]["limit"] == 60000
    usage = found["chat"]["usage"]
    assert found["chat"]["cost_usd"] == pytest.approx(
        (usage["input_tokens"] + 2 * usage["output_tokens"]) / 1e6
    )
    assert found["resp"]["cost_usd"] is None


def test_one_that_cannot_be_reached_is_1(capfd: pytest.CaptureFixture[str]) -> None:
    """A dead address is no answer: not reached, in the house's words, and the others still work."""
    found, _ = outcome(capfd, "chat", "dead/m", code=1)
    assert (found["chat"]["works"], found["dead"]["works"]) == (True, False)
    assert (found["dead"]["reachable"], found["dead"]["error"]["kind"]) == (False, "connection")
    assert "127.0.0.1" in found["dead"]["error"]["message"]


def test_an_account_that_is_refused_is_4_only_where_all_are(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """No credit everywhere is 4; beside a provider that works it is 1."""
    found, _ = outcome(capfd, "chat/poor", "resp/poor", code=4)
    assert [one["error"]["kind"] for one in found.values()] == ["quota"] * 2
    assert [one["reachable"] for one in found.values()] == [True] * 2
    assert outcome(capfd, "chat/good", "mess/poor", code=1)[0]["mess"]["refused"] is True


def test_without_names_those_are_asked_that_can_be(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No model is guessed and no key is missed silently: who is not asked is told why."""
    monkeypatch.setenv("RUNNER_MODEL", "resp/m")
    found, err = outcome(capfd, code=0)
    assert {name for name, one in found.items() if one["works"]} == {"chat", "resp"}
    assert found["openai"]["not_tested"] == "OPENAI_API_KEY is not set."
    assert found["mess"]["works"] is None
    assert "providers --test mess/MODEL" in found["mess"]["not_tested"]
    assert "sim" not in found
    assert "chat/good, resp/m" in " ".join(err.split())


def test_a_model_alone_chooses_its_provider(capfd: pytest.CaptureFixture[str]) -> None:
    """`-m provider/model` asks that one and nobody else; with a name it is that one's model."""
    assert list(outcome(capfd, "-m", "mess/m", code=0)[0]) == ["mess"]
    found, _ = outcome(capfd, "chat", "resp", "-m", "resp/x", code=0)
    assert [one["model"] for one in found.values()] == ["good", "x"]


def test_the_simulator_needs_neither_key_nor_model(capfd: pytest.CaptureFixture[str]) -> None:
    """`--test sim` works on a machine with nothing at all, and people read it within 80 columns."""
    assert run(["providers", "--test", "sim"]) == 0
    out, err = capfd.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert lines[-4].startswith("sim/steady: works, answered in ")
    assert lines[-3].startswith("  answer     finish reason ")
    assert lines[-2:] == ["  limits     not told in its headers", "1 of 1 works."]
    assert max(map(len, lines)) <= 80


def test_people_are_told_of_failures_and_limits(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, here: Path
) -> None:
    """The words hold the kind, the code and what the provider said, and never the key."""
    with (here / "runner.toml").open("a") as file:
        file.write('[providers.keyed]\napi = "openai"\napi_key_env = "KEYED"\n')
        file.write('base_url = "http://127.0.0.1:9/v1"\n')
    monkeypatch.setenv("KEYED", "sk-secret-1234567")
    assert run(["providers", "--test", "chat/good", "resp/poor", "keyed/m"]) == 1
    err = capfd.readouterr().err
    assert "resp/poor: fails (quota, 429, after " in err
    assert "keyed/m: fails (connection, not reached, after " in err
    assert "  limits     a minute: 60,000 requests (" in err
    assert err.endswith("1 of 3 work.\n")
    assert "secret" not in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--test", "chta"], "Did you mean chat?"),
        (["--test", "chta/m"], "Did you mean chat?"),
        (["--test", "mess"], "runner providers --test mess/MODEL"),
        (["--test", "openai/gpt-5-mini"], "OPENAI_API_KEY is not set"),
        (["--test", "sim/nowhere"], "steady"),
        (["chat"], "add --test"),
        (["-m", "chat/good"], "add --test"),
    ],
)
def test_2_where_nothing_can_be_sent(
    capfd: pytest.CaptureFixture[str], endpoints: Endpoints, words: list[str], said: str
) -> None:
    """An unknown name, a missing key or model is exit 2 with the way on; nothing is sent."""
    before = stats(endpoints)["requests"]
    assert run(["providers", *words]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("Error: ")
    assert said in " ".join(err.split())
    assert stats(endpoints)["requests"] == before


def test_nobody_to_test_is_2(capfd: pytest.CaptureFixture[str], here: Path) -> None:
    """Without any key each provider is named with what it lacks, and the way on without one."""
    (here / "runner.toml").unlink()
    assert run(["providers", "--test"]) == 2
    err = capfd.readouterr().err
    assert "anthropic: ANTHROPIC_API_KEY is not set." in err
    assert "runner providers --test sim" in err
