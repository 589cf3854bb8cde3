"""One configuration document, key by key."""

import tomllib

import pytest

from runner.cli.main import COMMANDS
from runner.config_tables import OPTION_TABLES, Document, is_loopback, read_document
from runner.errors import UsageError

VLLM = '[providers.vllm]\napi = "openai"\nbase_url = "http://127.0.0.1:8000/v1"\n'


def document(text: str, *, trusted: bool = True) -> Document:
    """Read a document as if it stood in conf.toml."""
    return read_document(tomllib.loads(text), source="conf.toml", trusted=trusted)


def test_every_command_may_have_a_table() -> None:
    """The tables that a file may hold are the commands that there are, less `providers`."""
    commands = {name for section in COMMANDS.values() for name in section}
    assert {*OPTION_TABLES, "providers"} == commands


def test_a_provider_is_read_whole() -> None:
    """All keys of a provider arrive, and it remembers its file."""
    read = document(
        VLLM
        + 'api_key_env = "VLLM_API_KEY"\nmax_tokens_field = "max_tokens"\ninclude_usage = false\n'
        + 'finish_reason = "optional"'
    ).providers["vllm"]
    assert read.finish_reason == "optional"
    assert (read.api, read.base_url) == ("openai", "http://127.0.0.1:8000/v1")
    assert (read.api_key_env, read.max_tokens_field, read.include_usage) == (
        "VLLM_API_KEY",
        "max_tokens",
        False,
    )
    assert (read.source, read.simulated) == ("conf.toml", False)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [('"5m"', 300.0), ("90", 90.0), ("0.5", 0.5), ('"1h30m"', 5400.0)],
)
@pytest.mark.parametrize("head", [VLLM, "[providers.anthropic]\n"])
def test_a_provider_may_be_silent_for_longer(head: str, text: str, seconds: float) -> None:
    """A time as in options, or seconds; for a built-in provider too; unset it is the engine's."""
    (read,) = document(f"{head}idle_timeout = {text}").providers.values()
    assert read.idle_timeout_s == seconds
    (unset,) = document(head).providers.values()
    assert unset.idle_timeout_s is None


@pytest.mark.parametrize("text", ['"0"', "0", "-1", '"soon"', "inf", "nan", "true", '""', "[1]"])
def test_a_silence_that_is_no_time_is_refused(text: str) -> None:
    """The message names the key and what would be right."""
    with pytest.raises(UsageError, match=r"idle_timeout under \[providers.vllm\] must be a time"):
        document(f"{VLLM}idle_timeout = {text}")


def test_a_trusted_file_may_move_a_built_in_provider() -> None:
    """A new address leaves the built-in API and key variable as they are."""
    read = document('[providers.openai]\nbase_url = "https://proxy.example/v1"').providers["openai"]
    assert (read.api, read.api_key_env) == ("openai", "OPENAI_API_KEY")
    assert read.base_url == "https://proxy.example/v1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[defualts]\nmodel = "a/b"', 'unknown key "defualts".\nDid you mean "defaults"?'),
        (
            '[defaults]\nmodle = "a/b"',
            'unknown key "modle" under [defaults].\nDid you mean "model"',
        ),
        ("[defaults]\nmodel = 3", "model under [defaults] must be text"),
        ('[defaults]\nmodel = ""', "model under [defaults] must be text"),
        ("batch = 3", "write it as [batch]"),
        ("providers = 3", "write it as [providers]"),
        ('[providers]\nvllm = "http://x"', "write it as [providers.vllm]"),
        (VLLM + "rpm = 0", "rpm under [providers.vllm] must be at least 1"),
        (VLLM + "rmp = 3", 'unknown key "rmp" under [providers.vllm]'),
        (VLLM + 'include_usage = "no"', "include_usage under [providers.vllm] must be true or"),
        (VLLM + 'finish_reason = "never"', "under [providers.vllm] must be required or optional."),
        (
            '[providers.anthropic]\nfinish_reason = "optional"',
            'is for api = "openai"; anthropic always says how an answer ended.',
        ),
        ('[providers.v]\nbase_url = "http://127.0.0.1/v1"', "[providers.v] lacks api"),
        ('[providers.v]\napi = "openai"', "[providers.v] lacks base_url"),
        (
            '[providers.v]\napi = "gemini"\nbase_url = "http://x"',
            "must be one of openai, openai-res",
        ),
        ('[providers."a/b"]\napi = "openai"', "a provider's name is made of letters"),
        ('[providers.openai]\napi = "anthropic"', "choose another name for another API"),
        ('[providers.sim]\nbase_url = "http://127.0.0.1/v1"', "built-in simulator"),
    ],
)
def test_a_wrong_key_or_value_is_named(text: str, said: str) -> None:
    """The message names the file, the key and what would be right."""
    with pytest.raises(UsageError) as caught:
        document(text)
    assert str(caught.value).startswith("conf.toml: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        'api_key = "sk-secret-1"',
        'api-key = "sk-secret-1"',
        'token = "sk-secret-1"',
        'api_key_env = "sk-secret-1"',  # pasted where the variable's name belongs
    ],
)
def test_a_key_in_the_file_is_refused_without_repeating_it(text: str) -> None:
    """A key itself never stands in the file, and never in the message."""
    with pytest.raises(UsageError) as caught:
        document(VLLM + text)
    assert "api_key_env" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://me:secret@127.0.0.1/v1", "user name or password"),
        ("ftp://127.0.0.1/v1", "is not an address"),
        ("127.0.0.1:8000", "is not an address"),
        ("http://", "is not an address"),
        ("http://[::1", "is not an address"),
        ("http://127.0.0.1:port/", "is not an address"),
        ("http://evil.example[::1]/v1", "is not an address"),  # Python takes ::1 for the host
        ("http://[::1].evil.example/v1", "is not an address"),
        ("http://[::1%25evil.example]/v1", "is not an address"),
        ("http://127.0.0.1/v1?secret=1", "end before any"),
        ("http://127.0.0.1 /v1", "a blank"),
        ("http://evil.example\\\\@127.0.0.1/", "a backslash"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str, said: str) -> None:
    """What is wrong with an address is said without repeating what it holds."""
    with pytest.raises(UsageError) as caught:
        document(f'[providers.v]\napi = "openai"\nbase_url = "{url}"')
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[providers.openai]\nbase_url = "http://127.0.0.1/v1"', "redefine a built-in provider"),
        ('[providers.v]\napi = "openai"\nbase_url = "https://evil.example"', "on this machine"),
        ('[providers.v]\napi = "openai"', "on this machine"),  # the SDK's default is elsewhere
        (VLLM + 'api_key_env = "OPENAI_API_KEY"', "the key in OPENAI_API_KEY"),
        (VLLM + 'api_key_env = "ANTHROPIC_AUTH_TOKEN"', "the key in ANTHROPIC_AUTH_TOKEN"),
    ],
)
def test_a_file_lying_in_the_folder_cannot_send_a_key_elsewhere(text: str, said: str) -> None:
    """What a trusted file may say, one that came with the folder may not; a way on is named."""
    with pytest.raises(UsageError) as caught:
        document(text, trusted=False)
    assert said in str(caught.value)
    assert "--config conf.toml" in str(caught.value)


def test_a_file_lying_in_the_folder_may_name_a_local_provider() -> None:
    """Defaults and providers on this machine need no trust."""
    read = document('[defaults]\nmodel = "vllm/x"\n' + VLLM + 'api_key_env = "V"', trusted=False)
    assert (read.model, read.providers["vllm"].api_key_env) == ("vllm/x", "V")


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://127.9.9.9", True),
        ("http://localhost:1", True),
        ("http://LOCALHOST", True),
        ("http://[::1]:8000", True),
        ("http://127.0.0.1.evil.example", False),
        ("http://localhost.evil.example", False),
        ("http://0.0.0.0", False),
        ("http://10.0.0.1", False),
        ("http://2130706433", False),  # 127.0.0.1 as one number: not worth guessing
        ("", False),
    ],
)
def test_loopback_is_known_by_the_host_alone(url: str, loopback: bool) -> None:
    """Names that only look like this machine are not this machine."""
    assert is_loopback(url) is loopback
