"""How many tokens a text has, from its bytes by kind. Pure, and fast enough for every job."""

from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import NamedTuple

Sizes = Sequence[int]
"""How much of each kind a text has, in the order of `_KINDS`."""


class Tokens(NamedTuple):
    """At least, about, at most."""

    low: float
    about: float
    high: float


_SMALL, _CAPITAL = ascii_lowercase.encode(), ascii_uppercase.encode()
_SPACES, _DIGITS = b" \t\r\n", b"0123456789"
_SIGNS = bytes(set(range(128)) - set(_SMALL + _CAPITAL + _SPACES + _DIGITS))
_KINDS: tuple[tuple[bytes, Tokens], ...] = (
    (_SMALL, Tokens(0.17, 0.20, 0.24)),
    (_CAPITAL, Tokens(0.20, 0.25, 0.40)),
    (_SPACES, Tokens(0.28, 0.35, 0.40)),
    (_DIGITS, Tokens(0.75, 1.08, 1.10)),
    (_SIGNS, Tokens(0.18, 0.28, 0.65)),
    # Characters beyond ASCII are counted by their first bytes.
    (bytes(range(0xD0, 0xD5)), Tokens(0.25, 0.30, 0.42)),  # Cyrillic
    # Accents, Greek, Hebrew, Arabic.
    (bytes([*range(0xC0, 0xD0), *range(0xD5, 0xE0)]), Tokens(0.22, 0.36, 0.60)),
    # The scripts of India, Thai.
    (b"\xe0", Tokens(0.30, 0.50, 0.90)),
    # Ethiopic, Khmer, Georgian; Vietnamese, which has fewer.
    (b"\xe1", Tokens(0.30, 1.20, 2.40)),
    # Quotation marks, dashes, symbols of mathematics.
    (b"\xe2", Tokens(0.40, 0.90, 2.40)),
    # Chinese, Japanese, Korean.
    (bytes(range(0xE3, 0xF0)), Tokens(0.60, 0.80, 1.10)),
    # Emoji, of which many make one.
    (bytes(range(0xF0, 0x100)), Tokens(0.40, 1.40, 3.00)),
)
"""Bytes and the tokens that one of them makes. The middle is fitted to o200k_base: English,
German, Russian, Chinese, Japanese, GSM8K, code and JSON are met within some 10 %; Polish, long
numbers, random text and rare scripts are not. The ends hold what it makes of all the kinds in
`tests/checking/kinds.json`; other tokenizers need the wider factors of `spread.py`, too."""

NO_SIZES: Sizes = (0,) * len(_KINDS)
_SPACES_AT = 2

_CAPITALS_USUAL = 0.12
"""So many of the letters of prose and code are capitals, or fewer."""
_SCATTERED = Tokens(0.45, 0.65, 0.95)
"""On top, for each capital among small letters beyond those: base64 and other random text, of which
no table of tokens has longer pieces."""
_DIGITS_OF_A_NUMBER = 2
_OF_LONG_NUMBERS = Tokens(-0.40, -0.55, 0.0)
"""On top, for each digit beyond two a space: long numbers go by three digits a token."""
_BETWEEN_SPACES = 2
_OF_WIDE_SPACES = Tokens(-0.27, -0.30, -0.15)
"""On top, for each space beyond one in two other characters: wide ones go by many a token."""


def sizes_of(texts: Sequence[str]) -> list[int]:
    """Count what some texts hold."""
    rest = "\n".join(texts).encode("utf-8", "surrogatepass")
    found = [0] * len(_KINDS)
    for place, (kind, _) in enumerate(_KINDS):
        others = rest.translate(None, kind)
        found[place] = len(rest) - len(others)
        rest = others
        if not rest:
            break
    found[_SPACES_AT] -= max(0, len(texts) - 1)
    return found


def sum_of(one: Sizes, other: Sizes) -> list[int]:
    """Add up, kind by kind."""
    return [first + second for first, second in zip(one, other, strict=True)]


def tokens_in(sizes: Sizes) -> Tokens:
    """Estimate the tokens of a text by what it holds."""
    small, capital, spaces, digits = sizes[:4]
    scattered = min(small, capital) - _CAPITALS_USUAL * (small + capital)
    counted: list[tuple[float, Tokens]] = [
        (size, rates) for size, (_, rates) in zip(sizes, _KINDS, strict=True)
    ]
    counted += [
        (max(0.0, scattered), _SCATTERED),
        (max(0, digits - _DIGITS_OF_A_NUMBER * spaces), _OF_LONG_NUMBERS),
        (max(0, spaces - (sum(sizes) - spaces) // _BETWEEN_SPACES), _OF_WIDE_SPACES),
    ]
    columns = zip(*([size * rate for rate in rates] for size, rates in counted), strict=True)
    return Tokens(*map(sum, columns))


def characters_in(sizes: Sizes) -> int:
    """Count the characters."""
    return sum(sizes)
