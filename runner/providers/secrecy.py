"""Keys taken out of what a server sends, before anything reads it. Knows no API."""

import re
from collections.abc import Sequence

_HIDDEN = b"***"
_ESCAPED_BY_CHOICE = '"\\/'
"""JSON writes the first two only with a backslash before them, and the third as it likes."""


class Secrecy:
    """Hides a provider's keys, also where JSON spells them with escapes."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._plain = tuple(secret.encode() for secret in secrets)
        self._spelled = [re.compile(_spellings(secret)) for secret in secrets]
        # Escapes of other characters are common in answers, and cannot stand for a key.
        special = any(mark in secret for secret in secrets for mark in _ESCAPED_BY_CHOICE)
        self._suspicious = b"\\" if special else b"\\u00"

    def of_bytes(self, data: bytes) -> bytes:
        """Put *** for every key."""
        for secret in self._plain:
            if secret in data:
                data = data.replace(secret, _HIDDEN)
        if self._suspicious in data:
            for spelled in self._spelled:
                data = spelled.sub(_HIDDEN, data)
        return data

    def of_text(self, text: str) -> str:
        """Put *** for every key."""
        if not self._plain:
            return text
        data = text.encode("utf-8", "surrogatepass")
        return self.of_bytes(data).decode("utf-8", "surrogatepass")


def _spellings(secret: str) -> bytes:
    """Match each character as it is or by its number, and some behind a backslash."""
    return b"".join(_character(character) for character in secret)


def _character(character: str) -> bytes:
    itself = re.escape(character.encode())
    behind = rb"|\\" + itself if character in _ESCAPED_BY_CHOICE else b""
    return b"(?:" + itself + rb"|\\u(?i:%04x)" % ord(character) + behind + b")"
