"""Where to send and with which key: configuration and environment in, addresses out."""

import pytest

from runner.config import BUILT_IN_PROVIDERS, ProviderConfig
from runner.errors import UsageError
from runner.models import Api
from runner.providers.endpoints import NO_KEY, endpoint, missing_key

OPENAI = BUILT_IN_PROVIDERS["openai"]
ANTHROPIC = BUILT_IN_PROVIDERS["anthropic"]
AMBIENT = {
    "OPENAI_API_KEY": "sk-openai-secret",
    "OPENAI_ORG_ID": "org",
    "OPENAI_PROJECT_ID": "proj",
    "OPENAI_CUSTOM_HEADERS": "x-gateway: team-secret-1\nbroken\nx-b: 2",
    "ANTHROPIC_API_KEY": "sk-anthropic-secret",
    "MY_KEY": " sk-mine \n",
}


def configured(url: str, api: Api = "openai", key: str | None = "MY_KEY") -> ProviderConfig:
    """Configure a provider with an address of its own."""
    return ProviderConfig(name="mine", api=api, base_url=url, api_key_env=key)


def test_built_in_openai() -> None:
    """The built-in provider takes what the SDK's users set in their environment."""
    place = endpoint(OPENAI, AMBIENT)
    assert (place.base_url, place.key) == ("https://api.openai.com/v1", "sk-openai-secret")
    assert (place.organization, place.project) == ("org", "proj")
    assert place.headers == {"x-gateway": "team-secret-1", "x-b": "2"}
    assert place.secrets == ("sk-openai-secret", "team-secret-1")
    assert place.address == "api.openai.com"
    assert not place.is_loopback
    assert "secret" not in repr(place)


def test_built_in_anthropic() -> None:
    """The built-in provider falls back to the auth token, and fixes a doubled version."""
    environ = {"ANTHROPIC_AUTH_TOKEN": "tok", "ANTHROPIC_BASE_URL": "https://gate.way/v1/"}
    place = endpoint(ANTHROPIC, environ)
    assert (place.base_url, place.key) == ("https://gate.way", "tok")
    assert (place.organization, place.project) == (None, None)
    assert endpoint(ANTHROPIC, AMBIENT).key == "sk-anthropic-secret"
    assert endpoint(ANTHROPIC, AMBIENT).base_url == "https://api.anthropic.com"


@pytest.mark.parametrize("api", ["openai", "openai-responses", "anthropic"])
def test_configured_provider_gets_nothing_ambient(api: Api) -> None:
    """A provider of one's own gets its own key and nothing that was meant for another."""
    place = endpoint(configured("http://127.0.0.1:8000/v1/", api), AMBIENT)
    assert place.key == "sk-mine"
    assert (place.organization, place.project, place.headers) == (None, None, {})
    assert place.base_url == "http://127.0.0.1:8000" + ("" if api == "anthropic" else "/v1")
    keyless = endpoint(configured("http://127.0.0.1:8000", api, key=None), AMBIENT)
    assert (keyless.key, keyless.secrets) == (NO_KEY, ())


def test_another_key_at_the_usual_address() -> None:
    """A second account has its own key at the SDK's address, without the first one's headers."""
    config = ProviderConfig(name="work", api="openai", api_key_env="MY_KEY")
    place = endpoint(config, AMBIENT)
    assert (place.key, place.organization, place.headers) == ("sk-mine", None, {})
    assert place.base_url == "https://api.openai.com/v1"


@pytest.mark.parametrize(
    ("config", "environ", "name"),
    [
        (OPENAI, {}, "OPENAI_API_KEY"),
        (OPENAI, {"OPENAI_API_KEY": "  "}, "OPENAI_API_KEY"),
        (OPENAI, AMBIENT, None),
        (ANTHROPIC, {}, "ANTHROPIC_API_KEY"),
        (ANTHROPIC, {"ANTHROPIC_AUTH_TOKEN": "t"}, None),
        (configured("http://h"), {"OPENAI_API_KEY": "k"}, "MY_KEY"),
        (configured("http://h", key=None), {}, None),
        (BUILT_IN_PROVIDERS["sim"], {}, None),
    ],
)
def test_missing_key(config: ProviderConfig, environ: dict[str, str], name: str | None) -> None:
    """The variable that lacks is named before anything is sent."""
    assert missing_key(config, environ) == name
    if name is not None:
        with pytest.raises(UsageError, match=f"no key for {config.name}: {name} is not set"):
            endpoint(config, environ)


@pytest.mark.parametrize("key", ["two words", "“quoted”", "line\nbreak"])
def test_key_that_cannot_be_right(key: str) -> None:
    """A key with characters no key has is refused by the name of its variable, not shown."""
    with pytest.raises(UsageError, match="the key in OPENAI_API_KEY cannot be right") as caught:
        endpoint(OPENAI, {"OPENAI_API_KEY": key})
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["localhost:8000", "ftp://h", "http://", "http://h:99999", "http://a b", "http://[x"]
)
def test_address_that_cannot_work(url: str) -> None:
    """An address that no request can go to is refused before anything is sent."""
    with pytest.raises(UsageError, match="base_url of mine is not an address"):
        endpoint(configured(url), AMBIENT)


def test_empty_address_in_the_environment() -> None:
    """An empty variable counts as unset; a bad one is named."""
    environ = {**AMBIENT, "OPENAI_BASE_URL": ""}
    assert endpoint(OPENAI, environ).base_url == "https://api.openai.com/v1"
    with pytest.raises(UsageError, match="OPENAI_BASE_URL is not an address"):
        endpoint(OPENAI, {**AMBIENT, "OPENAI_BASE_URL": "api.openai.com"})


@pytest.mark.parametrize(
    ("config", "variable", "key"),
    [
        (OPENAI, "OPENAI_BASE_URL", "OPENAI_API_KEY"),
        (BUILT_IN_PROVIDERS["openai-responses"], "OPENAI_BASE_URL", "OPENAI_API_KEY"),
        (ANTHROPIC, "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"),
    ],
)
@pytest.mark.parametrize(
    "user", ["me:pass-word-1", "pass-word-1", ":pass-word-1", "me:pass@word-1"]
)
def test_a_password_in_the_address(
    config: ProviderConfig, variable: str, key: str, user: str
) -> None:
    """It is refused, not silently left out, and not shown; where the key belongs is said."""
    with pytest.raises(UsageError, match=f"{variable} holds a user name or password") as caught:
        endpoint(config, {**AMBIENT, variable: f"https://{user}@proxy.example/v1"})
    assert key in str(caught.value)
    assert "word-1" not in str(caught.value)
    with pytest.raises(UsageError, match="base_url of mine holds a user name") as caught:
        endpoint(configured(f"https://{user}@proxy.example/v1", config.api, key=None), AMBIENT)
    assert "word-1" not in str(caught.value)


@pytest.mark.parametrize("end", ["?key=pass-word-1", "#pass-word-1"])
def test_an_address_with_more_behind_its_path(end: str) -> None:
    """The path of the call is put behind it, so nothing else may stand there."""
    with pytest.raises(UsageError, match=r"OPENAI_BASE_URL must end before any \? or #") as caught:
        endpoint(OPENAI, {**AMBIENT, "OPENAI_BASE_URL": f"https://proxy.example/v1{end}"})
    assert "word-1" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:1", True),
        ("http://[::1]:1", True),
        ("http://localhost", True),
        ("http://x.localhost", True),
        ("http://localhost.com", False),
        ("http://10.0.0.1", False),
    ],
)
def test_loopback(url: str, loopback: bool) -> None:
    """This machine's own addresses are told from all others."""
    assert endpoint(configured(url), AMBIENT).is_loopback == loopback


@pytest.mark.parametrize("key", ["EMPTY", "ollama", "lm-studio", "not-needed"])
def test_a_local_servers_key_is_no_secret(key: str) -> None:
    """What local servers take for a key is a word that answers may hold, and stays in them."""
    place = endpoint(configured("http://127.0.0.1:8000/v1"), {"MY_KEY": key})
    assert (place.key, place.secrets) == (key, ())
