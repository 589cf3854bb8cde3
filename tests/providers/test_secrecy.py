"""Keys in what a server sends, however it writes them."""

import pytest

from runner import words
from runner.config import BUILT_IN_PROVIDERS
from runner.errors import UsageError
from runner.providers.endpoints import endpoint
from runner.providers.failures import Failures
from runner.providers.secrecy import Secrecy
from runner.words import scrubbed
from tests.providers.asking import KEY as SENT
from tests.providers.asking import seen, written
from tests.providers.bodies import chunk
from tests.providers.raw_server import stream

KEY = "sk-a/b+c-0123456789"


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        KEY.replace("/", "\\/"),
        KEY.replace("+", "\\u002b"),
        KEY.replace("/", "\\u002F").replace("s", "\\u0073"),
        "".join(f"\\u{ord(character):04x}" for character in KEY),
    ],
)
def test_a_key_is_hidden_in_every_spelling(written: str) -> None:
    """As it is, with escaped slashes, and by character numbers."""
    secrecy = Secrecy(["sk-other-key", KEY])
    assert secrecy.of_text(f'{{"a": "{written}."}}') == '{"a": "***."}'
    assert secrecy.of_bytes(f"{written}{written}".encode()) == b"******"


@pytest.mark.parametrize("text", ["plain", "na\\u00efve \\/ path", "\ud800 \\n", ""])
def test_what_holds_no_key_stays(text: str) -> None:
    """Other text, its escapes and lone surrogates included, is not changed."""
    assert Secrecy([KEY]).of_text(text) == text
    assert Secrecy([]).of_text(text) == text


def test_a_plain_key_is_found_among_escapes() -> None:
    """A key of letters alone can be spelled by numbers, too."""
    assert Secrecy(["sk-abcdef99"]).of_text("\\u0073k-abcdef99") == "***"


@pytest.mark.anyio
async def test_a_key_that_the_network_cuts_in_two_is_hidden() -> None:
    """Pieces of a stream are put together before they are searched."""
    text = written("openai", [chunk({"content": f"your key {SENT}."}), chunk({}, "stop")])
    middle = text.index(SENT.encode()) + 9
    watched = await seen(stream(text[:middle], text[middle:]))
    assert (watched.text, watched.completion.text) == ("your key ***.", "your key ***.")


def test_a_cut_excerpt_holds_no_part_of_a_key() -> None:
    """A page is searched before it is shortened, and so is the request's id."""
    page = f"<p>{'x' * 180} {KEY}</p>".encode()
    error = Failures("h:1", [KEY]).of_response(502, {"x-request-id": f"for {KEY}"}, page)
    assert KEY[:6] not in error.message
    assert error.request_id == "for ***"
    for blanks in range(7_980, 8_001, 4):
        page = b"<p>" + b" " * blanks + KEY.encode()
        assert KEY[:3] not in Failures("h:1", [KEY]).of_response(502, {}, page).message


def test_a_password_in_a_bad_address_is_not_shown() -> None:
    """An address that cannot be taken apart is shown from its host on."""
    environ = {"OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": f"http://me:{KEY}@host:1/v1"}
    with pytest.raises(UsageError, match="not an address") as caught:
        endpoint(BUILT_IN_PROVIDERS["openai"], environ)
    assert KEY[:6] not in str(caught.value)
    assert "***@host:1/v1" in str(caught.value)


def test_headers_of_the_environment_are_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The values of custom headers are scrubbed from what goes to stderr, as keys are."""
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "x-a: gateway-secret\nx-b: short\nbroken")
    monkeypatch.setenv("MY_CREDENTIAL", "own-secret-1")
    said = "gateway-secret, short, broken, own-secret-1"
    assert scrubbed(said) == "***, short, broken, ***"


def test_what_a_configuration_names_is_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of any name is hidden once it is named, without the blanks around it."""
    monkeypatch.setattr(words, "_named", set())
    monkeypatch.setenv("MY_THING", " a-thing\\'of-mine\n")
    said = "sent a-thing\\'of-mine"
    assert scrubbed(said) == said
    words.hold_back(["MY_THING"])
    assert scrubbed(said) == "sent ***"
    assert scrubbed(repr(said)) == '"sent ***"'
