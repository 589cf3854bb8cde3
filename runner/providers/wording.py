"""Words from outside made fit for a person: short, one line, no control characters, no keys."""

import re
from collections.abc import Sequence
from html import unescape

from runner.providers.surrogates import whole_text
from runner.words import printable

MAX_MESSAGE = 600
MAX_EXCERPT = 200
_MOST_READ = 8_000
_MOST_SEARCHED = 100_000

_UNSEEN = re.compile(r"<(script|style|head)\b.*?</\1\s*>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_USER_INFO = re.compile(r"(\b\w++://)[^/\s@]+@")  # the \b keeps long words from taking minutes


def for_people(text: str, secrets: Sequence[str] = (), limit: int = MAX_MESSAGE) -> str:
    """Scrub keys, join lines, escape control characters and cut to `limit` characters."""
    text = " ".join(scrub(text, secrets).split())
    text = printable(whole_text(text))
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def scrub(text: str, secrets: Sequence[str]) -> str:
    """Put *** for every secret and for the user part of addresses."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return _USER_INFO.sub(r"\1***@", text) if "@" in text else text


def excerpt(content: bytes, secrets: Sequence[str] = ()) -> str:
    """The first readable words of a body that is not JSON; a page's title comes first."""
    # Searched before it is cut, and more than is kept: no part of a key may be left at the end.
    text = scrub(content[:_MOST_SEARCHED].decode("utf-8", "replace"), secrets)[:_MOST_READ]
    title = _TITLE.search(text)
    if "<" in text:
        text = _TAG.sub(" ", _TITLE.sub(" ", _UNSEEN.sub(" ", text)))
    if title:
        text = f"{title[1]} {text}"
    return for_people(unescape(text), secrets, limit=MAX_EXCERPT)
