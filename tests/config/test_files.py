"""Which configuration files are read, and which of two wins."""

import errno
import os
from pathlib import Path

import pytest

from runner.config_files import load_config
from runner.errors import UsageError

VLLM = '[providers.vllm]\napi = "openai"\nbase_url = "http://127.0.0.1:{port}/v1"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory that is not the user's configuration folder."""
    (tmp_path / "work").mkdir()
    (tmp_path / "home").mkdir()
    return tmp_path / "work"


@pytest.fixture
def own(folder: Path) -> Path:
    """Where the user's own file would stand."""
    return folder.parent / "home" / "runner.toml"


def test_without_files_the_built_in_providers_stand(folder: Path, own: Path) -> None:
    """No file is no error: there are providers, and no default."""
    config = load_config(None, folder=folder, user_file=own)
    assert "openai" in config.providers
    assert (config.default_model, config.sources) == (None, ())


def test_the_folders_file_wins_key_by_key(folder: Path, own: Path) -> None:
    """Nearer values win, others stay, and each remembers its file."""
    near = folder / "runner.toml"
    near.write_text('[defaults]\nmodel = "near"\n[batch]\nlimit = 1\n' + VLLM.format(port=1))
    own.write_text(
        '[defaults]\nmodel = "far"\nprovider = "corp"\n[batch]\nlimit = 2\n[tail]\nquiet = true\n'
        + VLLM.format(port=2)
        + '[providers.corp]\napi = "anthropic"\nbase_url = "https://corp.example"'
    )
    config = load_config(None, folder=folder, user_file=own)
    assert (config.default_model, config.default_provider) == ("near", "corp")
    assert config.origins == {"model": str(near), "provider": str(own)}
    assert config.providers["vllm"].base_url == "http://127.0.0.1:1/v1"
    assert config.providers["corp"].source == str(own)
    assert [table.trusted for table in config.options["batch"]] == [False, True]
    assert [dict(table.values) for table in config.options["tail"]] == [{"quiet": True}]
    assert config.sources == (str(near), str(own))


def test_a_named_file_is_read_alone_and_trusted(folder: Path, own: Path) -> None:
    """With `--config` no other file counts, and built-in providers may be moved."""
    (folder / "runner.toml").write_text('[defaults]\nmodel = "near"')
    own.write_text('[defaults]\nprovider = "openai"')
    named = folder / "mine.toml"
    named.write_text('[providers.openai]\nbase_url = "https://proxy.example/v1"')
    config = load_config(str(named), folder=folder, user_file=own)
    assert (config.default_model, config.default_provider) == (None, None)
    assert config.providers["openai"].base_url == "https://proxy.example/v1"


def test_the_users_own_file_is_trusted_where_it_lies(own: Path) -> None:
    """Working in the configuration folder itself does not make one's own file suspect."""
    own.write_text('[providers.openai]\nbase_url = "https://proxy.example/v1"')
    config = load_config(None, folder=own.parent, user_file=own)
    assert config.sources == (str(own),)
    assert config.providers["openai"].base_url == "https://proxy.example/v1"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"model = ", "not valid TOML"),
        (b'model = "\xff"', "not UTF-8 text (byte 10)"),
        (b'[defaults]\nprovider = "opnai"', 'Did you mean "openai"'),
        (b'[defaults]\nprovider = "zzz"', "Configured are: openai"),
    ],
)
def test_a_broken_file_is_named(folder: Path, own: Path, content: bytes, said: str) -> None:
    """A file that cannot be used is an error that names it, never passed over."""
    own.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        load_config(None, folder=folder, user_file=own)
    assert str(own) in str(caught.value)
    assert said in str(caught.value)


def test_a_byte_order_mark_is_passed_over(folder: Path, own: Path) -> None:
    """A file saved with a BOM is read as it looks."""
    own.write_bytes(b'\xef\xbb\xbf[defaults]\nmodel = "sim/steady"')
    assert load_config(None, folder=folder, user_file=own).default_model == "sim/steady"


def test_a_named_file_must_exist() -> None:
    """A `--config` that is not there is an error, not an empty configuration."""
    with pytest.raises(UsageError, match=r"cannot read the configuration nowhere\.toml: No such"):
        load_config("nowhere.toml")


def test_the_home_folder_is_written_as_a_tilde(
    folder: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts name the user's file as people do."""
    monkeypatch.setenv("HOME", str(own.parent))
    assert load_config(None, folder=folder, user_file=own).user_file == "~/runner.toml"


def test_a_home_that_may_not_be_looked_into_holds_nothing(
    folder: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run for another user (`sudo -u`, a service) whose home is closed, there is no own file."""
    look = Path.stat

    def closed(path: Path, **named: bool) -> os.stat_result:
        if path == own:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return look(path, **named)

    monkeypatch.setattr(Path, "stat", closed)
    (folder / "runner.toml").write_text('[defaults]\nmodel = "sim/steady"')
    assert load_config(None, folder=folder, user_file=own).default_model == "sim/steady"
