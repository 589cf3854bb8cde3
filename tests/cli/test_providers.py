"""`runner providers`: what is configured, from where, and never a key."""

import json
from pathlib import Path
from typing import Any

import pytest

from runner.cli.main import run

CORP = '[providers.corp]\napi = "anthropic"\nbase_url = "https://corp.example"\n'


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """Call `runner providers --json`."""
    assert run([*arguments, "providers", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_without_configuration_the_built_in_ones_stand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every built-in provider is listed with its API, its address and what key it wants."""
    found = listed(capsys)
    assert (found["files"], found["model"], found["model_source"]) == ([], None, None)
    by_name = {one["name"]: one for one in found["providers"]}
    assert by_name["openai"] == {
        "name": "openai",
        "api": "openai",
        "source": "built in",
        "base_url": "https://api.openai.com/v1",
        "base_url_source": "built in",
        "key_variable": "OPENAI_API_KEY",
        "key_is_set": False,
        "problem": None,
    }
    assert (by_name["sim"]["key_variable"], by_name["sim"]["key_is_set"]) == (None, None)


def test_each_value_says_where_it_came_from(
    capsys: pytest.CaptureFixture[str], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File and environment are told apart; a key is there or not, and is never shown."""
    (here / "conf.toml").write_text(
        '[defaults]\nmodel = "x"\nprovider = "corp"\n' + CORP + 'api_key_env = "CORP_KEY"\n'
    )
    monkeypatch.setenv("CORP_KEY", "sk-secret-corp")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://proxy.example/v1")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://me:secret@proxy.example/v1")
    found = listed(capsys, "--config", "conf.toml")
    assert found["files"] == ["conf.toml"]
    assert (found["model"], found["model_source"]) == ("x", "conf.toml")
    assert (found["default_provider"], found["default_provider_source"]) == ("corp", "conf.toml")
    by_name = {one["name"]: one for one in found["providers"]}
    corp, openai = by_name["corp"], by_name["openai"]
    assert (corp["source"], corp["base_url_source"], corp["key_is_set"]) == (
        "conf.toml",
        "conf.toml",
        True,
    )
    assert corp["base_url"] == "https://corp.example"
    assert (openai["base_url"], openai["base_url_source"]) == (
        "https://proxy.example/v1",
        "OPENAI_BASE_URL",
    )
    assert by_name["anthropic"]["base_url"] is None
    assert "holds a user name or password" in by_name["anthropic"]["problem"]
    assert "secret" not in json.dumps(found)


def test_people_read_it_on_stderr_within_the_screen(
    capsys: pytest.CaptureFixture[str], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words hold what the JSON holds: defaults, tables, addresses, keys."""
    monkeypatch.setenv("RUNNER_MODEL", "sim/slow")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    (here / "conf.toml").write_text(
        '[defaults]\nmodel = "x"\nprovider = "corp"\n[batch]\nlimit = 3\n' + CORP
    )
    assert run(["--config", "conf.toml", "providers"]) == 0
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert lines[:4] == [
        "files      conf.toml",
        "model      sim/slow (RUNNER_MODEL)",
        "provider   corp (conf.toml)",
        "[batch]    limit (conf.toml)",
    ]
    assert "anthropic         key in ANTHROPIC_API_KEY: set" in lines
    assert "openai            key in OPENAI_API_KEY: not set" in lines
    assert "corp              needs no key" in lines
    assert "  anthropic at https://corp.example (conf.toml)" in lines
    assert max(map(len, lines)) <= 80
    assert "secret" not in err


def test_an_address_that_cannot_work_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken variable does not hide the other providers."""
    monkeypatch.setenv("OPENAI_BASE_URL", "nonsense")
    assert run(["providers"]) == 0
    err = capsys.readouterr().err
    assert "OPENAI_BASE_URL is not an address" in err
    assert "anthropic at https://api.anthropic.com (built in)" in err


def test_the_users_file_is_named_where_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """Who wants to configure something learns where."""
    run(["providers"])
    assert "files      none (yours would be ~/runner/runner.toml)" in capsys.readouterr().err
