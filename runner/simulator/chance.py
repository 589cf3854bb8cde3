"""Chance that repeats itself: numbers drawn from words instead of from a clock."""

import hashlib
from collections.abc import Iterator


def unit(*words: object) -> float:
    """Draw a number in [0, 1) that depends on `words` alone."""
    return int.from_bytes(_digest(words), "big") / 2**64


def units(*words: object) -> Iterator[float]:
    """Draw endlessly many numbers in [0, 1) that depend on `words` alone."""
    # A linear congruential step (Knuth's MMIX constants) is plenty for prose and, unlike the
    # standard library's generator, costs nothing to seed.
    state = int.from_bytes(_digest(words), "big")
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield (state >> 11) / 2**53


def _digest(words: tuple[object, ...]) -> bytes:
    text = "\x1f".join(map(str, words))
    return hashlib.blake2b(text.encode(), digest_size=8).digest()
